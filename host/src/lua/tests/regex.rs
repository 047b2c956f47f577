use super::*;

#[test]
fn the_first_match_comes_with_its_groups() {
    prints(
        r#"local m = regex.match("hello world 42", "(\\w+) (\\w+)") print(m[1], m[2], m[3], #m)"#,
        "hello world\thello\tworld\t3",
    );
    prints(
        r#"local m = regex.match("2026-05-01", "(?<year>\\d{4})-(?<month>\\d\\d)") print(m.year, m.month, m[2])"#,
        "2026\t05\t2026",
    );
    prints(r#"print(regex.match("x", "\\d"))"#, "nil");
    prints(r#"print(regex.match("price: 42 EUR", "\\d+(?= EUR)")[1], regex.match("abab", "(ab)\\1")[1])"#, "42\tabab");
    prints(
        r#"print(regex.match("ABC", "b", "i")[1], regex.match("ABC", "/b/i")[1], regex.match("a", "a", 0)[1])"#,
        "B\tB\ta",
    );
    prints(r#"print(regex.match("", "(a)?b?")[2] == "")"#, "true");
}

#[test]
fn all_matches_come_by_group() {
    prints(
        r#"local m = regex.match_all("a1 b2", "([a-z])(?<digit>\\d)") print(table.concat(m[1], ","), table.concat(m[2], ","), table.concat(m.digit, ","))"#,
        "a1,b2\ta,b\t1,2",
    );
    prints(r#"print(#regex.match_all("x", "\\d"), #regex.match_all("aaa", "")[1])"#, "0\t4");
}

#[test]
fn matches_are_replaced() {
    prints(r#"print(regex.gsub("a  b   c", "\\s+", " "))"#, "a b c");
    prints(r#"print(regex.gsub("john smith", "(\\w+) (?<last>\\w+)", "${last}, $1"))"#, "smith, john");
    prints(
        r#"print(regex.gsub("aaa", "a", "b", 2), regex.gsub("aaa", "a", "b", -1), regex.gsub("aaa", "a", "b", 0))"#,
        "bba\tbbb\taaa",
    );
    prints(r#"print(regex.gsub("é", "", "-"), regex.gsub("x", "x", "$$1"))"#, "-é-\t$");
}

#[test]
fn misuse_is_explained_at_the_scripts_line() {
    fails("regex.match(nil, 'x')", "test.lua:1: regex.match: expected string subject, got nil");
    fails("regex.match('x')", "regex.match: expected string pattern, got nil");
    fails("regex.gsub('x', 'x')", "regex.gsub: expected string replacement, got nil");
    fails("regex.gsub('x', 'x', 'y', 'all')", "regex.gsub: expected number limit, got string");
    fails("regex.match('x', '(')", "regex.match: bad pattern \"(\"");
    fails("regex.match('x', 'x', 'q')", "regex.match: unknown flag `q`");
    fails("regex.match('x', 'x', 1)", "regex.match: expected flags as a string");
    fails("regex.match('\\255', 'x')", "regex.match: the string subject is not UTF-8 text");
}

#[test]
fn a_pattern_that_steps_back_searches_subjects_of_bearable_length() {
    prints("print(#regex.match(('a'):rep(60000) .. 'END', '^(?:(?!END).)*')[1])", "60000");
    prints("print(#regex.match(('a '):rep(10000) .. '$12.50', '(?<=\\\\$)\\\\d+(?:\\\\.\\\\d+)?')[1])", "5");
    fails(
        "regex.match(('a'):rep(1e5), '^(?:(?!END).)*')",
        "regex.match: the subject is 100000 bytes long, and a pattern that looks around or back as this one does \
         searches 65536 at most; search in parts",
    );
    fails("regex.match(('a'):rep(5e6), 'a')", "regex.match: the subject is longer than 4 MiB; search in parts");
    fails("regex.match(('a'):rep(4e6), ('a?'):rep(3000))", "a pattern with as many letters and repetitions");
    fails("regex.match('x', ('(?=\\\\w{60})'):rep(700))", "the pattern needs more than 32 MiB of memory");
    fails("regex.match('a', '(?:(?=a)(?=a)){1000000000}b')", "the pattern does too much at every step");
}
