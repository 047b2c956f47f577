//! How failures look to a script.

use crate::fault::Code;

/// Every reason, in the order a script meets them: before sending, while running, from the provider.
const CODES: [Code; 24] = [
    Code::InvalidArgument,
    Code::Unknown,
    Code::Unconfigured,
    Code::ApprovalRequired,
    Code::Denied,
    Code::Busy,
    Code::Timeout,
    Code::Cpu,
    Code::Memory,
    Code::TooLarge,
    Code::Trap,
    Code::Unauthorized,
    Code::Forbidden,
    Code::NotFound,
    Code::RateLimited,
    Code::NotReady,
    Code::Provider,
    Code::Unreachable,
    Code::InDoubt,
    Code::Changed,
    Code::Interrupted,
    Code::Unsupported,
    Code::Unloadable,
    Code::Internal,
];

/// Every code and its cure.
pub(super) fn cures() -> impl Iterator<Item = (Code, &'static str)> {
    CODES.into_iter().map(|code| (code, cure(code)))
}

/// The page `errors`.
pub(super) fn page() -> String {
    let rows: Vec<_> = cures().map(|(code, cure)| format!("| `{code}` | {cure} |")).collect();
    format!(
        "# Faults\n\n{}\n\n| Code | What to do |\n|---|---|\n{}\n",
        explanation("app.integrations.dialpad.get_call({id = \"call_abc123\"})"),
        rows.join("\n")
    )
}

/// The section at the end of every page, with an invocation that could fail.
pub(super) fn section(invocation: &str) -> String {
    format!("## Faults\n\n{}\n\n`docs.read(\"errors\")` lists every code and its cure.", explanation(invocation))
}

fn explanation(invocation: &str) -> String {
    format!(
        "What fails raises. The error prints as a sentence and has the fields `code`, `message`, `provider`, `fn`, and \
         where they apply `parameter`, `status`, `provider_code` and `retry_after` (seconds).\n\n\
         ```lua\n\
         local ok, err = pcall(function()\n  \
           return {invocation}\n\
         end)\n\
         if not ok then\n  \
           print(err.code, err)\n\
         end\n\
         ```"
    )
}

fn cure(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "Nothing was sent. Correct the argument the sentence names.",
        Code::Unknown => "No such provider, account or function; the sentence names the nearest ones.",
        Code::Unconfigured => "Ask the operator for the credential the sentence names.",
        Code::ApprovalRequired => "Ask the operator to allow it, or to run the script with --force.",
        Code::Denied => "The operator forbids it. Do without.",
        Code::Busy => "Too much at once. Try again in a moment.",
        Code::Timeout => "Ask for less at a time, or raise --timeout.",
        Code::Cpu => "It computed for too long. Ask for less at a time, or raise --cpu-limit.",
        Code::Memory => "It needed too much memory. Ask for less at a time, or raise --memory-limit.",
        Code::TooLarge => "Request, answer or output exceed what may pass. Ask for less at a time.",
        Code::Trap => "The plugin crashed. Report it to its author.",
        Code::Unauthorized => "The provider did not accept the credential. Ask the operator for a new one.",
        Code::Forbidden => "The credential may not do this. Ask the operator for one with the scope.",
        Code::NotFound => "The provider has no such thing. Check the id.",
        Code::RateLimited => "Wait `retry_after` seconds, then try again.",
        Code::NotReady => {
            "Work at the provider goes on. Ask again with the same arguments after `retry_after` seconds."
        }
        Code::Provider => "The provider answered with another error; see `status` and `provider_code`.",
        Code::Unreachable => "No usable answer came. A read can be tried again; a write may have happened.",
        Code::InDoubt => "An earlier part of this run sent it, and may have succeeded. Check before sending it again.",
        Code::Changed => "The script is another than the one that broke off. Start a new run with what is left to do.",
        Code::Interrupted => {
            "Somebody ended the run. What was on its way may have happened; `meta.under_way` names it."
        }
        Code::Unsupported => "The provider cannot do this.",
        Code::Unloadable => "The plugin file cannot be loaded. Ask the operator to install it anew.",
        Code::Internal => "A defect of the plugin or of kosmo. Report it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_listed_once() {
        let page = page();
        assert_eq!(CODES.iter().collect::<HashSet<_>>().len(), CODES.len());
        for code in CODES {
            assert!(page.contains(&format!("| `{code}` | {} |", cure(code))), "{code}");
        }
    }

    #[test]
    fn a_section_shows_how_to_catch_the_invocation() {
        let section = section("app.integrations.pager.get_page({id = \"p-1\"})");
        assert!(section.contains("pcall(function()\n  return app.integrations.pager.get_page({id = \"p-1\"})\nend)"));
    }
}
