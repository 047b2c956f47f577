//! Words of one meaning, where providers and their users talk about the same thing in different words. Data.

use super::words::stems;

/// Each line is a group; a word may be in several. Whole words, in singular.
const GROUPS: [&str; 27] = [
    "sms text message mms",
    "message mail email post note chat",
    "call phone dial telephone ring",
    "voicemail voice recording",
    "meeting event appointment conference",
    "calendar schedule agenda",
    "user member person people employee colleague teammate agent",
    "contact addressbook person customer",
    "extension user line",
    "account company organization organisation workspace tenant",
    "current me self own whoami",
    "presence availability status online busy",
    "number phone caller",
    "delete remove erase destroy trash discard purge",
    "create add new make insert register",
    "update edit change modify set patch put rename",
    "list show enumerate browse index history log",
    "get fetch read retrieve show view details",
    "search find query lookup filter",
    "send post deliver submit transmit notify",
    "archive close finish complete",
    "file document attachment upload",
    "task todo issue ticket",
    "invoice bill payment charge",
    "order purchase sale deal",
    "image picture photo",
    "report export statistic analytic metric stats",
];

/// The stems that mean about the same as this one, itself not among them.
pub(super) fn synonyms(stem: &str) -> Vec<String> {
    let groups = GROUPS.iter().map(|group| stems(group).collect::<Vec<_>>());
    let mut found: Vec<_> = groups.filter(|group| group.iter().any(|known| known == stem)).flatten().collect();
    found.retain(|known| known != stem);
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_brings_all_its_groups_and_not_itself() {
        assert_eq!(synonyms("text"), ["messag", "mms", "sms"]);
        assert!(synonyms("messag").contains(&"sms".into()) && synonyms("messag").contains(&"email".into()));
        assert_eq!(synonyms("pager"), Vec::<String>::new());
    }

    #[test]
    fn every_group_says_something_new() {
        let mut groups = GROUPS.map(|group| stems(group).collect::<Vec<_>>());
        for group in &mut groups {
            let said = group.len();
            group.sort();
            group.dedup();
            assert_eq!(group.len(), said, "{group:?}");
        }
    }
}
