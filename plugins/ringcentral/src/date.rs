//! Points in time as RingCentral takes them: ISO 8601 with seconds and a zone (RFC 3339).

const DAY: i64 = 86_400_000;

/// Milliseconds since 1970 of `2026-05-01T00:00:00Z` or `2026-05-01T02:00:00.250+02:00`; `None` for anything else,
/// a date without time or zone included.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let (clock, zone) = rest.split_at(rest.find(['Z', '+', '-'])?);
    Some(day(date)? * DAY + time_of_day(clock)? - offset(zone)?)
}

/// Days since 1970 of `2026-05-01`.
fn day(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let exists = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    (exists && parts.next().is_none()).then(|| days_before(year, month) + day - 1)
}

/// Milliseconds since midnight of `23:59:59` or `23:59:59.999`.
fn time_of_day(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let exists = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    let milliseconds = thousandths(fraction)?;
    exists.then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds)
}

/// The first three decimals; up to nine are legal.
fn thousandths(fraction: &str) -> Option<i64> {
    let sound = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let padded = fraction.bytes().chain([b'0'; 2]).take(3);
    sound.then(|| padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// Milliseconds east of UTC: `Z`, `+02:00`, `-08:00`.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

/// Exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let sound = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the month's first.
fn days_before(year: i64, month: i64) -> i64 {
    let leap_days = |years: i64| years / 4 - years / 100 + years / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn a_time_with_a_zone_is_a_point_in_time() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01T02:00:00+02:00", Some(0));
        check("1969-12-31T16:00:00-08:00", Some(0));
        check("1969-12-31T23:59:59.999Z", Some(-1));
        check("2000-02-29T00:00:00Z", Some(951_782_400_000));
        check("2016-03-10T18:07:52.534Z", Some(1_457_633_272_534));
        check("2026-05-01T00:00:00Z", Some(1_777_593_600_000));
        check("2026-05-01T00:00:00.5Z", Some(1_777_593_600_500));
        check("2026-05-01T05:45:00.123456789+05:45", Some(1_777_593_600_123));
        check("9999-12-31T23:59:59Z", Some(253_402_300_799_000));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "example_dateFrom",
            "2026-05-01",
            "2026-05-01T00:00:00",
            "2026-05-01T00:00Z",
            "2026-05-01 00:00:00Z",
            "2026-05-01t00:00:00z",
            "2026-5-1T00:00:00Z",
            "26-05-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-05-01T24:00:00Z",
            "2026-05-01T23:60:00Z",
            "2026-05-01T23:59:60Z",
            "2026-05-01T23:59:59.Z",
            "2026-05-01T23:59:59.1234567890Z",
            "2026-05-01T23:59:59+0200",
            "2026-05-01T23:59:59+24:00",
            "2026-05-01T23:59:59Zulu",
            "2026-05-01T23:59:59+ü2:00",
            "+026-05-01T00:00:00Z",
            "1777593600",
        ] {
            check(text, None);
        }
    }
}
