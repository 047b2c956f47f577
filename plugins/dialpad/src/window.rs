//! The time range of a list: what scripts give in seconds, Dialpad takes in milliseconds and in limited spans.

use crate::arguments::whole;
use crate::moment::DAY;
use kosmo_plugin::{Fault, Invocation, Parameter};

/// Dialpad refuses spans of thirty days and more.
const LONGEST: i64 = 30 * DAY - 1;
/// Numbers from here on are milliseconds: as seconds they would lie beyond the year 5100.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// An open end is Dialpad's now, whose clock may be ahead of ours by so much.
const CLOCK_DIFFERENCE: i64 = 60_000;

/// The parameter with which a range starts.
pub(crate) const START: Parameter = start("Start of the range, Unix time in seconds.");
/// The parameter with which a range ends.
pub(crate) const END: Parameter =
    Parameter::integer("endTime", "End of the range, Unix time in seconds; now if absent.").example("1767312000");

/// As [`START`], with these words for readers.
pub(crate) const fn start(description: &'static str) -> Parameter {
    Parameter::integer("startTime", description).example("1767225600")
}

/// The range a script asked for, in Unix milliseconds; each end may be open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
}

impl Range {
    /// From `startTime` and `endTime`.
    pub(crate) fn parse(invocation: &Invocation) -> Result<Self, Fault> {
        let range = Self { start: moment(invocation, "startTime")?, end: moment(invocation, "endTime")? };
        match (range.start, range.end) {
            (Some(start), Some(end)) if start > end => {
                Err(Fault::argument("endTime", "lies before startTime; expected a later moment, for example os.time()"))
            }
            _ => Ok(range),
        }
    }
}

fn moment(invocation: &Invocation, name: &str) -> Result<Option<i64>, Fault> {
    match whole(invocation, name)? {
        Some(number) if number < 0 => {
            let expected = "expected Unix time in seconds, for example 1767225600";
            Err(Fault::argument(name, format!("is {number}; {expected}")))
        }
        Some(number) if number < MILLISECONDS_FROM => Ok(Some(number * 1000)),
        moment => Ok(moment),
    }
}

/// A span that one request may ask for, part of a range. Windows are walked from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) after: Option<i64>,
    pub(crate) before: Option<i64>,
    /// Where the range starts, if it had to be split.
    pub(crate) floor: Option<i64>,
}

impl Window {
    /// The newest part of `range`, or all of it if it is short enough.
    pub(crate) fn newest(range: Range, now: i64) -> Self {
        let before = range.end.unwrap_or(now + CLOCK_DIFFERENCE);
        match range.start {
            Some(start) if before - start > LONGEST => Self::split(start, before),
            _ => Self { after: range.start, before: range.end, floor: None },
        }
    }

    /// The next older part, if there is one.
    pub(crate) fn older(self) -> Option<Self> {
        let (floor, after) = (self.floor?, self.after?);
        // Dialpad does not say whether its bounds are inclusive. One millisecond of overlap loses no call if not.
        (after > floor).then(|| Self::split(floor, after + 1))
    }

    fn split(floor: i64, before: i64) -> Self {
        Self { after: Some(floor.max(before - LONGEST)), before: Some(before), floor: Some(floor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    #[track_caller]
    fn check(arguments: &str, start: Option<i64>, end: Option<i64>) {
        let range = Range::parse(&Invocation::test("list_calls", arguments)).expect("a range");
        assert_eq!(range, Range { start, end });
    }

    #[test]
    fn seconds_become_milliseconds_and_milliseconds_stay() {
        check("{}", None, None);
        check(r#"{"startTime":1,"endTime":1}"#, Some(1000), Some(1000));
        check(r#"{"startTime":0}"#, Some(0), None);
        check(r#"{"endTime":1767225600}"#, None, Some(NOW));
        check(r#"{"startTime":99999999999}"#, Some(99_999_999_999_000), None);
        check(r#"{"startTime":100000000000}"#, Some(100_000_000_000), None);
        check(r#"{"startTime":1767225600000,"endTime":null}"#, Some(NOW), None);
    }

    #[track_caller]
    fn check_refused(arguments: &str, parameter: &str) {
        match Range::parse(&Invocation::test("list_calls", arguments)) {
            Err(Fault::InvalidArgument(error)) => assert_eq!(error.parameter, parameter),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ranges_that_cannot_be_are_refused() {
        check_refused(r#"{"startTime":-1}"#, "startTime");
        check_refused(r#"{"endTime":-1}"#, "endTime");
        check_refused(r#"{"startTime":1.5}"#, "startTime");
        check_refused(r#"{"startTime":2,"endTime":1}"#, "endTime");
        check_refused(r#"{"startTime":1767225600,"endTime":1767225599999}"#, "endTime");
    }

    /// Splits a range that ends `now`, and checks that windows are short enough and leave nothing out.
    #[track_caller]
    fn check_split(start: i64, windows: usize) {
        let mut window = Window::newest(Range { start: Some(start), end: Some(NOW) }, NOW);
        assert_eq!(window.before, Some(NOW));
        let mut count = 1;
        while let Some(older) = window.older() {
            assert_eq!(older.before, window.after.map(|after| after + 1), "a gap");
            window = older;
            count += 1;
            assert!(window.before.zip(window.after).is_some_and(|(before, after)| before - after < 30 * DAY));
        }
        assert_eq!((count, window.after), (windows, Some(start)));
    }

    #[test]
    fn long_ranges_are_split_into_windows_of_less_than_thirty_days() {
        check_split(NOW, 1);
        check_split(NOW - 30 * DAY + 1, 1);
        check_split(NOW - 30 * DAY, 2);
        check_split(NOW - 90 * DAY, 4);
        check_split(0, 682);
    }

    #[test]
    fn open_ranges_stay_open_unless_they_are_too_long() {
        let newest = |start, end| Window::newest(Range { start, end }, NOW);
        assert_eq!(newest(None, None), Window { after: None, before: None, floor: None });
        assert_eq!(newest(None, Some(5)), Window { after: None, before: Some(5), floor: None });
        assert_eq!(newest(Some(NOW - DAY), None), Window { after: Some(NOW - DAY), before: None, floor: None });
        assert_eq!(newest(Some(NOW - 31 * DAY), None).floor, Some(NOW - 31 * DAY));
    }

    #[test]
    fn the_largest_number_there_is_does_no_harm() {
        check(r#"{"startTime":0,"endTime":9223372036854775807}"#, Some(0), Some(i64::MAX));
        assert!(Window::newest(Range { start: Some(0), end: Some(i64::MAX) }, NOW).older().is_some());
    }
}
