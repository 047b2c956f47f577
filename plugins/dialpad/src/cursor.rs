//! Cursors of our own, for places that none of Dialpad's cursors points at: `kosmo-<kind>:<numbers>:<rest>`.

use kosmo_plugin::Fault;

const MARK: &str = "kosmo-";

/// Writes a cursor.
pub(crate) fn encode<const N: usize>(kind: &str, numbers: [i64; N], rest: &str) -> String {
    let numbers = numbers.map(|number| number.to_string()).join(",");
    format!("{MARK}{kind}:{numbers}:{rest}")
}

/// Reads a cursor of this kind.
pub(crate) fn decode<'a, const N: usize>(kind: &str, cursor: &'a str) -> Option<([i64; N], &'a str)> {
    let (numbers, rest) = cursor.strip_prefix(MARK)?.strip_prefix(kind)?.strip_prefix(':')?.split_once(':')?;
    let numbers: Vec<i64> = numbers.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    Some((numbers.try_into().ok()?, rest))
}

/// Whether a cursor can only be one of ours.
pub(crate) fn is_ours(cursor: &str) -> bool {
    cursor.starts_with(MARK)
}

/// The answer to a cursor that was not made by the function it is given to.
pub(crate) fn invalid(function: &str) -> Fault {
    let message = format!("is not a cursor of {function}; expected `cursor` of an earlier result, unchanged");
    Fault::argument("cursor", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for rest in ["", "abc", "a:b,c=="] {
            let cursor = encode("page", [3, -1, i64::MAX], rest);
            assert_eq!(decode("page", &cursor), Some(([3, -1, i64::MAX], rest)));
            assert!(is_ours(&cursor));
        }
    }

    #[test]
    fn nothing_else_is_a_cursor() {
        for cursor in ["", "abc", "kosmo-page", "kosmo-page:1", "kosmo-page:x,2:", "kosmo-page:1:", "kosmo-texts:1,2:r"]
        {
            assert_eq!(decode::<2>("page", cursor), None, "{cursor}");
        }
    }
}
