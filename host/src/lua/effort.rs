//! What a pattern costs at worst, read off its syntax before any of it is compiled.
//!
//! Look-around and references are matched by trying ways and stepping back; plain parts in between go to automata, one
//! each. The engine limits the memory of none of these and counts only the steps back, however much each of them does.
//! So how much one step does decides how many are allowed, and how long a subject may be.

use fancy_regex::{Assertion, Error, Expr, LookAround};

/// Longest subject of a pattern that never steps back, in bytes.
pub(super) const LINEAR: u64 = 4 << 20;
/// Longest subject of a pattern that does.
const BACKTRACKING: u64 = 64 << 10;
/// Shortest subject worth compiling a pattern for.
const SHORT: u64 = 64;
/// Most steps back in one search, whatever little they do.
const STEPS: u64 = 1_000_000;
/// Steps back per byte without which a search could not even reach the end of its subject.
const LEAST_STEPS: u64 = 2;
/// Nanoseconds one search may take, by pessimistic reckoning: nothing can interrupt it.
const SEARCH: u64 = 5_000_000_000;
/// Most bytes a compiled pattern may take.
pub(super) const COMPILED: u64 = 32 << 20;
/// Most bytes a search may keep to step back to.
const KEPT: u64 = 64 << 20;

/// Nanoseconds to start an automaton, to look at a byte with many possibilities open, per possibility, and to compare
/// a byte while ignoring case, for which the engine compiles the text it compares.
const CALL: u64 = 150;
const POSSIBILITY: u64 = 4;
const FOLDED: u64 = 1000;
/// Bytes of a value kept to step back to.
const SAVE: u64 = 32;
/// Bytes of an automaton, and of one whose classes hold most of Unicode's letters.
const AUTOMATON: u64 = 36 << 10;
const WIDE_AUTOMATON: u64 = 440 << 10;
/// Bytes of each further copy of a letter, of a class, of a class written with `\`, and of one with most letters.
const LETTER: u64 = 300;
const CLASS: u64 = 2 << 10;
const ESCAPED: u64 = 8 << 10;
const WIDE: u64 = 64 << 10;
/// So few letters and classes that all combinations of them fit an automaton's cache; and that cache's bytes then, and
/// otherwise.
const FEW: u64 = 10;
const CACHE: u64 = 32 << 10;
const LARGE_CACHE: u64 = 2 << 20;

/// What a pattern may be used for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Whether it takes steps back.
    pub(super) backtracks: bool,
    /// Bytes it takes compiled, about.
    pub(super) bytes: u64,
    /// Longest subject, in bytes.
    pub(super) longest: usize,
    /// Steps back in one search.
    pub(super) steps: usize,
}

impl Effort {
    /// Judges a pattern; `flags` are of `imsx`.
    ///
    /// # Errors
    /// What is wrong with the pattern, or what there is too much of.
    pub(super) fn of(pattern: &str, flags: &str) -> Result<Self, String> {
        let expression = parse(pattern, flags).map_err(|error| format!("bad pattern {pattern:?}: {error}"))?;
        let effort = Self::longest(&expression).ok_or(
            "the pattern does too much at every step: make its repetitions smaller, above all inside look-around and \
             atomic groups",
        )?;
        if effort.bytes > COMPILED {
            let most = COMPILED >> 20;
            return Err(format!(
                "the pattern needs more than {most} MiB of memory: use fewer groups, look-arounds and repetitions"
            ));
        }
        Ok(effort)
    }

    /// With the longest subject that can be searched in time.
    fn longest(expression: &Expr) -> Option<Self> {
        let mut room = BACKTRACKING;
        loop {
            let cost = Reckoning { room, references: refers(expression) }.cost(expression, false);
            if !cost.hard {
                return Self::linear(&cost);
            }
            if let Some(effort) = Self::backtracking(&cost, room) {
                return Some(effort);
            }
            room = (room - room / 8 > SHORT).then_some(room - room / 8)?;
        }
    }

    fn linear(cost: &Cost) -> Option<Self> {
        let longest = (SEARCH / cost.rate()).min(LINEAR);
        let bytes = cost.bytes.saturating_add(cost.cache());
        Some(Self { backtracks: false, bytes, longest: usize::try_from(longest).ok()?, steps: 0 })
    }

    fn backtracking(cost: &Cost, room: u64) -> Option<Self> {
        let step = cost.time.saturating_add(cost.saves.saturating_mul(cost.saves)).max(1);
        // As many steps may lead ahead as back.
        let steps = (SEARCH / step.saturating_mul(2)).min(STEPS);
        let kept = room.saturating_mul(cost.saves).saturating_mul(SAVE);
        let enough = steps >= room * LEAST_STEPS && kept <= KEPT;
        enough.then_some(Self {
            backtracks: true,
            bytes: cost.bytes,
            longest: usize::try_from(room).ok()?,
            steps: usize::try_from(steps).ok()?,
        })
    }
}

/// The expression as the engine will compile it.
fn parse(pattern: &str, flags: &str) -> Result<Expr, Error> {
    let flagged = if flags.is_empty() { pattern.into() } else { format!("(?{flags}){pattern}") };
    // A position in the complaint should be the pattern's own.
    let parsed = Expr::parse_tree(&flagged).map_err(|error| Expr::parse_tree(pattern).err().unwrap_or(error));
    Ok(without_last_look(parsed?.expr))
}

/// The engine takes a look ahead at the very end for what follows a group, which needs no step back.
fn without_last_look(expression: Expr) -> Expr {
    match expression {
        Expr::Concat(mut parts) => {
            if let Some(Expr::LookAround(inner, LookAround::LookAhead)) = parts.pop_if(is_look_ahead) {
                parts.push(*inner);
            }
            Expr::Concat(parts)
        }
        Expr::LookAround(inner, LookAround::LookAhead) => *inner,
        other => other,
    }
}

fn is_look_ahead(expression: &mut Expr) -> bool {
    matches!(expression, Expr::LookAround(_, LookAround::LookAhead))
}

/// Whether anything in it refers back to a group; then every group may be stepped back into.
fn refers(expression: &Expr) -> bool {
    match expression {
        Expr::Concat(parts) | Expr::Alt(parts) => parts.iter().any(refers),
        Expr::Group(inner) | Expr::AtomicGroup(inner) | Expr::LookAround(inner, _) => refers(inner),
        Expr::Repeat { child, .. } => refers(child),
        Expr::Conditional { .. } | Expr::Backref { .. } | Expr::BackrefExistsCondition(_) => true,
        _ => false,
    }
}

/// The cost of an expression, or of those that follow each other.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Whether it takes steps back; if not, an automaton matches it.
    hard: bool,
    /// Letters and classes, repetitions written out.
    atoms: u64,
    /// Whether what it matches has no longest.
    endless: bool,
    /// Whether it asks for more than where a match ends: groups, word boundaries.
    slow: bool,
    /// Bytes compiled; and of each further copy.
    bytes: u64,
    copy: u64,
    /// Nanoseconds between two steps back. Of what is hard.
    time: u64,
    /// Values kept between two steps back.
    saves: u64,
}

impl Cost {
    /// Of one step that does nothing but look.
    fn step(time: u64) -> Self {
        Self { hard: true, time, ..Self::default() }
    }

    fn leaf(bytes: u64, copy: u64) -> Self {
        Self { atoms: 1, bytes, copy, ..Self::default() }
    }

    fn class(text: &str) -> Self {
        let listed = (text.len() as u64).saturating_mul(SAVE);
        if ["\\w", "\\W", "\\p", "\\P"].iter().any(|most| text.contains(most)) {
            return Self::leaf(WIDE_AUTOMATON + listed, WIDE + listed);
        }
        let copy = listed + if text.contains('\\') { ESCAPED } else { CLASS };
        Self::leaf(AUTOMATON + copy, copy)
    }

    /// One after the other, both hard or both not.
    fn and(self, other: Self) -> Self {
        Self {
            hard: self.hard || other.hard,
            atoms: self.atoms.saturating_add(other.atoms),
            endless: self.endless || other.endless,
            slow: self.slow || other.slow,
            bytes: self.bytes.saturating_add(other.bytes),
            copy: self.copy.saturating_add(other.copy),
            time: self.time.saturating_add(other.time),
            saves: self.saves.saturating_add(other.saves),
        }
    }

    /// What an automaton that matches it takes to look at a byte, in nanoseconds.
    fn rate(&self) -> u64 {
        let quick = self.atoms <= FEW && !self.slow;
        if quick { 1 } else { self.atoms.saturating_mul(POSSIBILITY).max(1) }
    }

    fn cache(&self) -> u64 {
        match self.atoms {
            0 => 0,
            1..=FEW => CACHE,
            _ => LARGE_CACHE,
        }
    }
}

/// Reckons costs for subjects of a certain length.
struct Reckoning {
    room: u64,
    references: bool,
}

impl Reckoning {
    /// `cut` is where the engine drops the ways it could step back to: their steps go uncounted.
    fn cost(&self, expression: &Expr, cut: bool) -> Cost {
        match expression {
            Expr::Empty => Cost::default(),
            Expr::Any { .. } => Cost::leaf(AUTOMATON + CLASS, CLASS),
            Expr::Literal { val, casei } => literal(val, *casei),
            Expr::Delegate { inner, .. } => Cost::class(inner),
            Expr::Assertion(assertion) => boundary(*assertion),
            Expr::Concat(parts) | Expr::Alt(parts) => self.parts(parts, cut),
            Expr::Group(inner) => self.group(inner, cut),
            Expr::Repeat { child, lo, hi, .. } => self.repeat(child, *lo as u64, *hi, cut),
            Expr::LookAround(inner, look) => self.enclosed(inner, cut || is_negative(*look)),
            Expr::AtomicGroup(inner) => self.enclosed(inner, true),
            Expr::Backref { casei: false, .. } => Cost::step(self.room),
            Expr::Backref { casei: true, .. } => Cost::step(self.room.saturating_mul(FOLDED)),
            Expr::Conditional { condition, true_branch, false_branch } => [condition, true_branch, false_branch]
                .iter()
                .map(|part| self.enclosed(part, true))
                .fold(Cost::step(CALL), Cost::and),
            // Steps of their own, or what the engine refuses.
            Expr::KeepOut
            | Expr::ContinueFromPreviousMatchEnd
            | Expr::BackrefExistsCondition(_)
            | Expr::BackrefWithRelativeRecursionLevel { .. }
            | Expr::SubroutineCall(_)
            | Expr::UnresolvedNamedSubroutineCall { .. } => Cost::step(CALL),
        }
    }

    /// The plain ones together make one automaton, or one each, whichever is worse.
    fn parts(&self, parts: &[Expr], cut: bool) -> Cost {
        let (hard, plain): (Vec<_>, Vec<_>) = parts.iter().map(|part| self.cost(part, cut)).partition(|cost| cost.hard);
        let plain = plain.into_iter().fold(Cost::default(), Cost::and);
        if hard.is_empty() { plain } else { hard.into_iter().fold(self.settled(plain, cut), Cost::and) }
    }

    fn group(&self, inner: &Expr, cut: bool) -> Cost {
        let cost = self.cost(inner, cut);
        let cost = if self.references { self.settled(cost, cut) } else { cost };
        Cost { saves: cost.saves.saturating_add(2), slow: true, ..cost }
    }

    /// What takes no step back is written out. What does is repeated step by step, of which those are not counted that
    /// have to be taken, and none at all where ways are dropped.
    fn repeat(&self, child: &Expr, lo: u64, hi: usize, cut: bool) -> Cost {
        let cost = self.cost(child, cut);
        let endless = hi == usize::MAX;
        let most = if endless { lo.saturating_add(1) } else { hi as u64 };
        let turns = match (cost.hard, cut) {
            (true, false) => lo.max(1),
            (true, true) if endless => lo.saturating_add(self.room),
            _ => most.max(1),
        };
        let repeated = Cost {
            endless: cost.endless || endless,
            time: cost.time.saturating_mul(turns),
            saves: cost.saves.saturating_mul(turns).saturating_add(if cost.hard { 2 } else { 0 }),
            ..cost
        };
        if cost.hard { repeated } else { written_out(repeated, turns) }
    }

    /// Of its own: what is plain in there is one automaton.
    fn enclosed(&self, inner: &Expr, cut: bool) -> Cost {
        let cost = self.settled(self.cost(inner, cut), false);
        Cost { saves: cost.saves.saturating_add(2), ..cost }
    }

    /// As a part of a pattern that takes steps back.
    fn settled(&self, cost: Cost, cut: bool) -> Cost {
        if cost.hard {
            return cost;
        }
        let reach = if cost.endless { self.room } else { cost.atoms.saturating_mul(4).min(self.room) };
        let at_once = reach.saturating_mul(cost.rate()).saturating_add(CALL);
        let turns = if cut && cost.endless { self.room } else { 1 };
        let one_by_one = cost.atoms.saturating_mul(CALL).saturating_mul(turns);
        let bytes = cost.bytes.saturating_add(cost.cache());
        Cost { hard: true, time: at_once.max(one_by_one), bytes, ..cost }
    }
}

fn written_out(cost: Cost, turns: u64) -> Cost {
    let further = cost.copy.saturating_mul(turns - 1);
    let (atoms, copy) = (cost.atoms.saturating_mul(turns), cost.copy.saturating_mul(turns));
    Cost { atoms, copy, bytes: cost.bytes.saturating_add(further), ..cost }
}

fn literal(text: &str, folded: bool) -> Cost {
    let atoms = text.chars().count() as u64;
    let copy = atoms.saturating_mul(if folded { CLASS } else { LETTER });
    Cost { atoms, copy, bytes: copy + if folded { AUTOMATON } else { 0 }, ..Cost::default() }
}

fn boundary(assertion: Assertion) -> Cost {
    match assertion {
        Assertion::StartText | Assertion::EndText | Assertion::StartLine { .. } | Assertion::EndLine { .. } => {
            Cost::default()
        }
        Assertion::WordBoundary | Assertion::NotWordBoundary => Cost { slow: true, ..Cost::leaf(AUTOMATON, CLASS) },
        _ => Cost::step(CALL),
    }
}

fn is_negative(look: LookAround) -> bool {
    matches!(look, LookAround::LookAheadNeg | LookAround::LookBehindNeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, flags: &str, backtracks: bool, longest: std::ops::RangeInclusive<usize>) {
        let effort = Effort::of(pattern, flags).expect("a bearable pattern");
        assert_eq!(effort.backtracks, backtracks, "{pattern}: {effort:?}");
        assert!(longest.contains(&effort.longest), "{pattern}: {effort:?}");
    }

    #[test]
    fn what_never_steps_back_searches_long_subjects() {
        let all = LINEAR as usize;
        for pattern in [
            "",
            "sms",
            r"\+?\d{7,15}",
            r"[\w.+-]+@[\w-]+\.[\w.]+",
            r"\b(\w+)\s+(?<last>\w+)\b",
            r"https?://[^\s]+(?:/[^\s]*)?",
            r"\d+(?=%)",
            "(?=x)",
        ] {
            check(pattern, "", false, all..=all);
            check(pattern, "imsx", false, all..=all);
        }
        check(&"a?".repeat(3000), "", false, 100_000..=1_000_000);
    }

    #[test]
    fn what_steps_back_searches_the_shorter_ones_the_more_it_does() {
        const MOST: usize = BACKTRACKING as usize;
        check("(?:(?!END).)*", "", true, MOST..=MOST);
        check(r"(\w)\1", "", true, 12_000..=MOST);
        check(r"(?<=\$)\d+(?:\.\d+)?", "", true, 30_000..=MOST);
        check(r"(?<!\w)@\w+(?!\w)", "", true, 30_000..=MOST);
        check(r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{8,64}$", "", true, 3_000..=MOST);
        check("(?:(?=[^b]*b?)a)+c", "", true, 30_000..=MOST);
        check("(?>(?:(?=[^b]*b?)a)+)c", "", true, 400..=2000);
        check(r"(\w+)\1", "i", true, 400..=2000);
    }

    #[track_caller]
    fn check_refused(pattern: &str, says: &str) {
        let refusal = Effort::of(pattern, "").expect_err("too much");
        assert!(refusal.contains(says), "{refusal}");
    }

    #[test]
    fn what_nothing_could_bear_is_refused() {
        check_refused(&r"(?=\w{60})".repeat(700), "needs more than 32 MiB of memory");
        check_refused(&r"(?=\w)a".repeat(700), "needs more than 32 MiB of memory");
        check_refused(r"(?<=\w{1000}a*)b", "needs more than 32 MiB of memory");
        check_refused(r"(?<=(?:\w{1000}){1000}a*)b", "does too much at every step");
        check_refused("(?=(?:a{1000}){1000})b", "does too much at every step");
        check_refused("(?:(?=a)(?=a)){1000000000}b", "does too much at every step");
        check_refused("(?:(?:(?=a)|){100000,}){100000,}b", "does too much at every step");
        check_refused("(?:(?=a)b){18446744073709551615}b", "does too much at every step");
        check_refused("(", "bad pattern \"(\"");
    }

    #[test]
    fn a_complaint_points_into_the_pattern_as_it_was_given() {
        assert_eq!(Effort::of("ab(", "").expect_err("bad"), Effort::of("ab(", "imsx").expect_err("bad"));
    }
}
