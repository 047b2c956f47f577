//! Moments: Unix milliseconds, and the dates of exports.

/// A day in milliseconds.
pub(crate) const DAY: i64 = 24 * 60 * 60 * 1000;

/// Reads `2026-05-08 03:17:13.418699`, in UTC, with or without the fraction, as Unix milliseconds.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('Z');
    let (date, time) = text.split_once([' ', 'T'])?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hour, minute, second] = numbers(clock, ':')?;
    let legal = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let seconds = (hour * 60 + minute) * 60 + second;
    legal.then(|| days_since_1970(year, month, day) * DAY + seconds * 1000 + milliseconds(fraction))
}

/// Three unsigned numbers of at most four digits.
fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let number = |part: &str| (part.len() <= 4 && crate::arguments::are_digits(part)).then(|| part.parse().ok())?;
    text.split(separator).map(number).collect::<Option<Vec<i64>>>()?.try_into().ok()
}

/// The first three digits of a fraction, as if there were at least three.
fn milliseconds(fraction: &str) -> i64 {
    let digits = fraction.bytes().chain([b'0'; 3]).take(3);
    digits.fold(0, |sum, digit| sum * 10 + i64::from(digit.wrapping_sub(b'0').min(9)))
}

/// In the Gregorian calendar. Years count from March, so that the leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    century * 36_524 + century.div_euclid(4) + of_century * 365 + of_century / 4 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn the_dates_of_exports_are_read() {
        check("1970-01-01 00:00:00", Some(0));
        check("1969-12-31 23:59:59", Some(-1000));
        check("2000-02-29 12:00:00", Some(951_825_600_000));
        check("1900-03-01 00:00:00", Some(-2_203_891_200_000));
        check("2024-12-31 23:59:59.999999", Some(1_735_689_599_999));
        check("2026-05-08 03:17:13.418699", Some(1_778_210_233_418));
        check("2026-05-08 03:17:13.4", Some(1_778_210_233_400));
        check("2026-05-08T03:17:13Z", Some(1_778_210_233_000));
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in ["", "today", "2026-05-08", "2026-13-01 00:00:00", "2026-05-08 25:00:00", "26-5 1:2:3", "é 1:2:3"]
        {
            check(text, None);
        }
        check("99999-01-01 00:00:00", None);
    }
}
