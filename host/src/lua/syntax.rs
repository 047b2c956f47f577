//! Whether text is Lua, told without running it.

use mlua::Error;
use mlua::chunk::Compiler;

/// What text is as a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// It could run.
    Whole,
    /// It could, with more behind it.
    Unfinished,
    /// It could not: what is wrong.
    Wrong(String),
}

/// Looks at a script without running it.
pub fn syntax(code: &str) -> Syntax {
    match Compiler::new().compile(code) {
        Ok(_) => Syntax::Whole,
        Err(Error::SyntaxError { incomplete_input: true, .. }) => Syntax::Unfinished,
        Err(Error::SyntaxError { message, .. }) if is_open(&message, code) => Syntax::Unfinished,
        Err(Error::SyntaxError { message, .. }) => Syntax::Wrong(message),
        Err(error) => Syntax::Wrong(error.to_string()),
    }
}

/// Text and comments in long brackets may go on for lines, and Luau does not say that they are what is open.
fn is_open(message: &str, code: &str) -> bool {
    let long = code.contains("[[") || code.contains("[=");
    long && (message.contains("Malformed string") || message.contains("unfinished comment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_whole_unfinished_or_wrong() {
        let check = |code: &str, expected: &str| {
            let found = format!("{:?}", syntax(code));
            assert!(found.starts_with(expected), "{code}: {found}");
        };
        check("", "Whole");
        check("return 1 + 1", "Whole");
        check("for i = 1, 3 do", "Unfinished");
        check("local f = function()", "Unfinished");
        check("f({a = 1,", "Unfinished");
        check("x =", "Unfinished");
        check("return [[one", "Unfinished");
        check("--[[ one", "Unfinished");
        check("x", "Wrong");
        check("return 'one", "Wrong");
        check("end", "Wrong");
    }
}
