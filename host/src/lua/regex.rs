//! `regex.match`, `regex.match_all` and `regex.gsub`: Perl's syntax with look-around and named groups, bounded.

use super::bridge::{Answer, Arguments, Bridge, Raise, one};
use super::effort::{COMPILED, Effort, LINEAR};
use super::encode::kind;
use super::shape::number;
use fancy_regex::{Captures, Error, Regex, RegexBuilder, RuntimeError};
use mlua::{Lua, Table, Value};
use std::collections::HashMap;
use std::rc::Rc;

/// Longest pattern, in bytes.
const PATTERN: usize = 8 << 10;
/// Longest result of `gsub`, in bytes.
const RESULT: usize = 4 << 20;
/// Most bytes of one automaton, and of its tables.
const AUTOMATON: usize = 2 << 20;
/// Most compiled patterns kept, and most bytes of them.
const KEPT: usize = 64;
const KEPT_BYTES: u64 = 2 * COMPILED;

/// A compiled pattern and what it may be used for.
struct Pattern {
    regex: Regex,
    effort: Effort,
}

/// Compiled patterns.
#[derive(Default)]
pub(super) struct Patterns {
    compiled: HashMap<(String, String), Rc<Pattern>>,
    bytes: u64,
}

impl Patterns {
    fn get(&mut self, pattern: &str, flags: &str) -> Result<Rc<Pattern>, String> {
        let key = (pattern.to_owned(), flags.to_owned());
        if let Some(known) = self.compiled.get(&key) {
            return Ok(Rc::clone(known));
        }
        let pattern = Rc::new(compile(pattern, flags)?);
        self.bytes += pattern.effort.bytes;
        if self.compiled.len() >= KEPT || self.bytes > KEPT_BYTES {
            self.compiled.clear();
            self.bytes = pattern.effort.bytes;
        }
        self.compiled.insert(key, Rc::clone(&pattern));
        Ok(pattern)
    }
}

/// `regex.match(subject, pattern [, flags])`: whole match and groups, or `nil`.
pub(super) fn first(lua: &Lua, bridge: &Bridge, arguments: Arguments) -> Answer {
    let search = Search::take("regex.match", bridge, arguments)?;
    match search.pattern.regex.captures(&search.subject).map_err(|error| search.failed(&error))? {
        Some(captures) => one(Value::Table(search.groups(lua, &captures)?)),
        None => one(Value::Nil),
    }
}

/// `regex.match_all(subject, pattern [, flags])`: a list of whole matches, then a list per group; empty if none matched.
pub(super) fn all(lua: &Lua, bridge: &Bridge, arguments: Arguments) -> Answer {
    let search = Search::take("regex.match_all", bridge, arguments)?;
    let lists = lua.create_table()?;
    for captures in search.pattern.regex.captures_iter(&search.subject) {
        search.go_on(bridge)?;
        let captures = captures.map_err(|error| search.failed(&error))?;
        if lists.is_empty() {
            search.add_lists(lua, &lists)?;
        }
        for index in 0..captures.len() {
            lists.raw_get::<Table>(index + 1)?.raw_push(matched(&captures, index))?;
        }
    }
    one(Value::Table(lists))
}

/// `regex.gsub(subject, pattern, replacement [, limit])`: the subject with matches replaced.
pub(super) fn gsub(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    const NAME: &str = "regex.gsub";
    let (subject, pattern) = (arguments.text(NAME, "string subject")?, arguments.text(NAME, "string pattern")?);
    let replacement = arguments.text(NAME, "string replacement")?;
    let limit = limit(&arguments.next())?;
    let search = Search::new(NAME, bridge, subject, &pattern, "")?;
    one(Value::String(lua.create_string(search.replace(bridge, &replacement, limit)?)?))
}

struct Search {
    name: &'static str,
    pattern: Rc<Pattern>,
    subject: String,
}

impl Search {
    fn take(name: &'static str, bridge: &Bridge, mut arguments: Arguments) -> Result<Self, Raise> {
        let (subject, pattern) = (arguments.text(name, "string subject")?, arguments.text(name, "string pattern")?);
        let flags = flags(name, &arguments.next())?;
        Self::new(name, bridge, subject, &pattern, &flags)
    }

    fn new(name: &'static str, bridge: &Bridge, subject: String, pattern: &str, flags: &str) -> Result<Self, Raise> {
        let pattern = bridge.patterns.borrow_mut().get(pattern, flags);
        let pattern = pattern.and_then(|pattern| fits(&pattern.effort, subject.len()).map(|()| pattern));
        let pattern = pattern.map_err(|problem| Raise::Text(format!("{name}: {problem}")))?;
        Ok(Self { name, pattern, subject })
    }

    fn failed(&self, error: &Error) -> Raise {
        Raise::Text(match error {
            Error::RuntimeError(RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow) => format!(
                "{}: the pattern tries too many ways to match this subject; make its repetitions more specific",
                self.name
            ),
            error => format!("{}: {error}", self.name),
        })
    }

    /// Between two matches: the engine itself cannot be interrupted.
    fn go_on(&self, bridge: &Bridge) -> Result<(), Raise> {
        bridge.clock.check().map_err(|_| Raise::Text(format!("{}: out of time", self.name)))
    }

    /// `[1]` the whole match, `[2]` the first group; named groups by their names as well.
    fn groups(&self, lua: &Lua, captures: &Captures<'_>) -> Result<Table, Raise> {
        let groups = lua.create_table()?;
        for index in 0..captures.len() {
            groups.raw_push(matched(captures, index))?;
        }
        for (index, name) in self.names() {
            groups.raw_set(name, matched(captures, index))?;
        }
        Ok(groups)
    }

    fn add_lists(&self, lua: &Lua, lists: &Table) -> mlua::Result<()> {
        for _ in 0..self.pattern.regex.captures_len() {
            lists.raw_push(lua.create_table()?)?;
        }
        self.names().try_for_each(|(index, name)| lists.raw_set(name, lists.raw_get::<Table>(index + 1)?))
    }

    fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.pattern.regex.capture_names().enumerate().filter_map(|(index, name)| Some((index, name?)))
    }

    fn replace(&self, bridge: &Bridge, replacement: &str, limit: usize) -> Result<String, Raise> {
        let parts = parse(replacement);
        let (mut replaced, mut done) = (String::new(), 0);
        for captures in self.pattern.regex.captures_iter(&self.subject).take(limit) {
            self.go_on(bridge)?;
            let captures = captures.map_err(|error| self.failed(&error))?;
            let Some(whole) = captures.get(0) else { continue };
            replaced.push_str(&self.subject[done..whole.start()]);
            parts.iter().for_each(|part| replaced.push_str(part.fill(&captures)));
            done = whole.end();
            if replaced.len() > RESULT {
                return Err(Raise::Text(format!("{}: the result is longer than {} MiB", self.name, RESULT >> 20)));
            }
        }
        replaced.push_str(&self.subject[done..]);
        Ok(replaced)
    }
}

/// A group that took no part in the match is empty.
fn matched<'t>(captures: &Captures<'t>, index: usize) -> &'t str {
    captures.get(index).map_or("", |found| found.as_str())
}

/// A piece of a replacement.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    Group(usize),
    Name(&'a str),
}

impl Part<'_> {
    fn fill<'t>(&'t self, captures: &Captures<'t>) -> &'t str {
        match self {
            Self::Text(text) => text,
            Self::Group(index) => matched(captures, *index),
            Self::Name(name) => captures.name(name).map_or("", |found| found.as_str()),
        }
    }
}

/// `$1`, `${1}` and `${name}` are groups, everything else is text.
fn parse(mut replacement: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some(dollar) = replacement.find('$') {
        let (before, rest) = replacement.split_at(dollar);
        let (part, length) = reference(rest).unwrap_or((Part::Text(&rest[..1]), 1));
        parts.extend([Part::Text(before), part]);
        replacement = &rest[length..];
    }
    parts.push(Part::Text(replacement));
    parts.retain(|part| *part != Part::Text(""));
    parts
}

/// A reference at the start of the text, and its length.
fn reference(text: &str) -> Option<(Part<'_>, usize)> {
    if let Some(rest) = text.strip_prefix("${") {
        let name = &rest[..rest.find('}')?];
        let part = name.parse().map_or(Part::Name(name), Part::Group);
        return Some((part, name.len() + 3));
    }
    let digits = text[1..].bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((Part::Group(text[1..=digits].parse().ok()?), digits + 1))
}

/// Whether a pattern may search a subject of so many bytes.
fn fits(effort: &Effort, length: usize) -> Result<(), String> {
    let (longest, linear) = (effort.longest, LINEAR >> 20);
    match effort.backtracks {
        _ if length <= longest => Ok(()),
        true => Err(format!(
            "the subject is {length} bytes long, and a pattern that looks around or back as this one does searches \
             {longest} at most; search in parts, or do without look-around and references"
        )),
        false if length as u64 > LINEAR => Err(format!("the subject is longer than {linear} MiB; search in parts")),
        false => Err(format!(
            "the subject is {length} bytes long, and a pattern with as many letters and repetitions as this one \
             searches {longest} at most; search in parts, or simplify the pattern"
        )),
    }
}

fn compile(pattern: &str, flags: &str) -> Result<Pattern, String> {
    if pattern.len() > PATTERN {
        return Err(format!("the pattern is longer than {} KiB", PATTERN >> 10));
    }
    let (bare, delimited) = undelimited(pattern);
    let flags = known_flags(delimited.chars().chain(flags.chars()))?;
    let effort = Effort::of(bare, &flags)?;
    let mut builder = RegexBuilder::new(bare);
    builder
        .backtrack_limit(effort.steps)
        .delegate_size_limit(AUTOMATON)
        .delegate_dfa_size_limit(AUTOMATON)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .verbose_mode(flags.contains('x'));
    let regex = builder.build().map_err(|error| format!("bad pattern {bare:?}: {error}"))?;
    Ok(Pattern { regex, effort })
}

/// Those that mean something here, once each; `u` is always on.
fn known_flags(given: impl Iterator<Item = char>) -> Result<String, String> {
    let mut flags = String::new();
    for flag in given {
        match flag {
            'i' | 'm' | 's' | 'x' if !flags.contains(flag) => flags.push(flag),
            'i' | 'm' | 's' | 'x' | 'u' => {}
            other => return Err(format!("unknown flag `{other}`; known are i, m, s, x")),
        }
    }
    Ok(flags)
}

/// `/…/i` without its slashes, and its flags. Without slashes, or with one of them only, a pattern is taken as it is.
fn undelimited(pattern: &str) -> (&str, &str) {
    let inner = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    match inner {
        Some((bare, flags)) if !bare.is_empty() && flags.bytes().all(|flag| flag.is_ascii_lowercase()) => (bare, flags),
        _ => (pattern, ""),
    }
}

fn flags(name: &str, value: &Value) -> Result<String, Raise> {
    match value {
        Value::Nil => Ok(String::new()),
        Value::String(flags) => Ok(flags.to_string_lossy()),
        value if number(value) == Some(0.0) => Ok(String::new()),
        value => Err(Raise::Text(format!("{name}: expected flags as a string such as \"i\", got {}", kind(value)))),
    }
}

fn limit(value: &Value) -> Result<usize, Raise> {
    match (value, number(value)) {
        (Value::Nil, _) => Ok(usize::MAX),
        (_, Some(limit)) if limit < 0.0 => Ok(usize::MAX),
        (_, Some(limit)) => Ok(limit as usize),
        (value, None) => Err(Raise::Text(format!("regex.gsub: expected number limit, got {}", kind(value)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_refer_to_groups_by_number_and_name() {
        use Part::{Group, Name, Text};
        let check = |replacement, parts: &[Part<'_>]| assert_eq!(parse(replacement), parts, "{replacement}");
        check("", &[]);
        check("plain", &[Text("plain")]);
        check("<$1>", &[Text("<"), Group(1), Text(">")]);
        check("$12a$", &[Group(12), Text("a"), Text("$")]);
        check("${1}0${name}", &[Group(1), Text("0"), Name("name")]);
        check("$x${open", &[Text("$"), Text("x"), Text("$"), Text("{open")]);
        check("$é", &[Text("$"), Text("é")]);
    }

    #[test]
    fn slashes_around_a_pattern_are_optional() {
        let check = |pattern, parts| assert_eq!(undelimited(pattern), parts, "{pattern}");
        check("\\d+", ("\\d+", ""));
        check("/\\d+/", ("\\d+", ""));
        check("/a\\/b/im", ("a\\/b", "im"));
        check("/", ("/", ""));
        check("//", ("//", ""));
        check("/usr", ("/usr", ""));
        check("/api/V2", ("/api/V2", ""));
    }
}
