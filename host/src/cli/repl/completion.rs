//! What could follow what is typed. Pure.

/// What there is to complete with.
pub(super) trait Known {
    fn providers(&self) -> Vec<String>;
    fn accounts(&self, provider: &str) -> Vec<String>;
    fn functions(&self, provider: &str) -> Vec<String>;
    fn parameters(&self, provider: &str, function: &str) -> Vec<String>;
}

const GLOBALS: &str = "and app assert bit32 break buffer continue coroutine debug do docs dump else elseif end error \
    false for function getmetatable if in ipairs json local math mcp next nil not or os paginate pairs parallel pcall \
    print rawequal rawget rawlen rawset regex repeat return select setmetatable string table then tonumber tostring \
    true type typeof unpack until utf8 vector while xpcall";

/// Fields of what is always there.
const FIELDS: [(&str, &str); 10] = [
    ("app", "integrations mcp"),
    ("docs", "list read search"),
    ("json", "decode encode null"),
    ("mcp", "call prompt prompts resource resources schema servers tools"),
    ("regex", "gsub match match_all"),
    ("os", "clock date difftime time"),
    ("string", "byte char find format gmatch gsub len lower match rep reverse split sub upper"),
    ("table", "clear clone concat create find freeze insert maxn move pack remove sort unpack"),
    ("math", "abs ceil clamp floor huge max min pi random round sign sqrt"),
    ("coroutine", "close create isyieldable resume running status wrap yield"),
];

/// Where the word at the end begins, and everything it could become.
pub(super) fn complete(before: &str, known: &dyn Known) -> (usize, Vec<String>) {
    let start = before.len() - trailing(before, is_word).len();
    let (head, word) = before.split_at(start);
    let mut candidates = candidates(head, known);
    candidates.retain(|candidate| candidate.starts_with(word));
    candidates.sort();
    candidates.dedup();
    (start, candidates)
}

fn candidates(head: &str, known: &dyn Known) -> Vec<String> {
    if is_in_text(head) {
        return Vec::new();
    }
    if let Some(owner) = head.strip_suffix('.') {
        return members(trailing(owner, is_path), known);
    }
    match arguments(head) {
        Some((path, given)) => parameters(path, &given, known),
        None => words(GLOBALS),
    }
}

/// What follows `app.integrations.dialpad.`
fn members(path: &str, known: &dyn Known) -> Vec<String> {
    let steps: Vec<_> = path.split('.').collect();
    match steps.as_slice() {
        ["app", "integrations"] => known.providers(),
        ["app", "integrations", provider] => [known.accounts(provider), known.functions(provider)].concat(),
        ["app", "integrations", provider, account] if known.accounts(provider).iter().any(|name| name == account) => {
            known.functions(provider)
        }
        [name] => FIELDS.iter().find(|(owner, _)| owner == name).map(|(_, fields)| words(fields)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// What a function takes and was not given yet.
fn parameters(path: &str, given: &[String], known: &dyn Known) -> Vec<String> {
    let steps: Vec<_> = path.split('.').collect();
    let names = match steps.as_slice() {
        ["app", "integrations", provider, .., function] => known.parameters(provider, function),
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| !given.contains(name)).map(|name| format!("{name} = ")).collect()
}

/// The function in whose table a name could follow, and the names that stand there already.
fn arguments(head: &str) -> Option<(&str, Vec<String>)> {
    let table = open_table(head)?;
    let (_, last) = table.fields.split_last().map(|(last, others)| (others, last))?;
    if !last.trim().is_empty() {
        return None;
    }
    let owner = head[..table.at].trim_end();
    let owner = owner.strip_suffix('(').unwrap_or(owner).trim_end();
    let name = |field: &String| Some(field.split_once('=')?.0.trim().to_owned());
    Some((trailing(owner, is_path), table.fields.iter().filter_map(name).collect()))
}

/// A bracket that is open, and what stands in it so far, divided at its commas.
struct Bracket {
    letter: char,
    at: usize,
    fields: Vec<String>,
}

/// The innermost open bracket, if it is that of a table. Texts are skipped.
fn open_table(head: &str) -> Option<Bracket> {
    let mut open = Vec::<Bracket>::new();
    let mut letters = head.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '(' | '[' | '{' => open.push(Bracket { letter, at, fields: vec![String::new()] }),
            ')' | ']' | '}' => drop(open.pop()),
            ',' | ';' => open.iter_mut().last().into_iter().for_each(|bracket| bracket.fields.push(String::new())),
            '"' | '\'' => skip_text(&mut letters, letter)?,
            other => open.iter_mut().last().and_then(|b| b.fields.last_mut()).into_iter().for_each(|f| f.push(other)),
        }
    }
    open.pop().filter(|bracket| bracket.letter == '{')
}

fn is_in_text(head: &str) -> bool {
    let mut letters = head.char_indices();
    while let Some((_, letter)) = letters.next() {
        if matches!(letter, '"' | '\'') && skip_text(&mut letters, letter).is_none() {
            return true;
        }
    }
    false
}

/// Nothing, if the text does not end.
fn skip_text(letters: &mut std::str::CharIndices<'_>, quote: char) -> Option<()> {
    while let Some((_, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            letter if letter == quote => return Some(()),
            _ => {}
        }
    }
    None
}

fn trailing(text: &str, belongs: fn(char) -> bool) -> &str {
    let start = text.char_indices().rev().take_while(|&(_, letter)| belongs(letter)).last();
    start.map_or("", |(at, _)| &text[at..])
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn is_path(letter: char) -> bool {
    is_word(letter) || letter == '.'
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Phones;

    impl Known for Phones {
        fn providers(&self) -> Vec<String> {
            words("dialpad ringcentral")
        }

        fn accounts(&self, _: &str) -> Vec<String> {
            words("default work")
        }

        fn functions(&self, provider: &str) -> Vec<String> {
            words(if provider == "dialpad" { "list_calls list_users send_sms" } else { "" })
        }

        fn parameters(&self, _: &str, function: &str) -> Vec<String> {
            words(if function == "send_sms" { "to text from" } else { "" })
        }
    }

    #[track_caller]
    fn check(before: &str, word: &str, expected: &[&str]) {
        let (start, candidates) = complete(before, &Phones);
        assert_eq!((&before[start..], candidates), (word, expected.iter().map(ToString::to_string).collect()));
    }

    #[test]
    fn a_path_is_completed_step_by_step() {
        check("ap", "ap", &["app"]);
        check("return app.i", "i", &["integrations"]);
        check("x = app.integrations.", "", &["dialpad", "ringcentral"]);
        check("app.integrations.dialpad.", "", &["default", "list_calls", "list_users", "send_sms", "work"]);
        check("app.integrations.dialpad.li", "li", &["list_calls", "list_users"]);
        check("app.integrations.dialpad.work.s", "s", &["send_sms"]);
        check("app.integrations.dialpad.nobody.s", "s", &[]);
        check("docs.", "", &["list", "read", "search"]);
        check("print(json.e", "e", &["encode"]);
        check("nothing.x", "x", &[]);
    }

    #[test]
    fn a_table_of_arguments_offers_what_is_missing_in_it() {
        let all = ["from = ", "text = ", "to = "];
        check("app.integrations.dialpad.send_sms({ ", "", &all);
        check("app.integrations.dialpad.work.send_sms{t", "t", &["text = ", "to = "]);
        check("app.integrations.dialpad.send_sms({to = 'a, {b', ", "", &["from = ", "text = "]);
        check("app.integrations.dialpad.send_sms({to = f(1, 2), te", "te", &["text = "]);
        check("app.integrations.dialpad.send_sms({to = do", "do", &["do", "docs"]);
        check("app.integrations.dialpad.send_sms({to = { t", "t", &[]);
        check("app.integrations.dialpad.send_sms({to = 'app.", "", &[]);
    }
}
