//! Lists in pages: a cursor is the number of the first item, so none can lead anywhere else.

use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;

/// Items of a page. A tool with its schema takes about a thousand bytes.
const ITEMS: usize = 100;

/// One page of a list, and the cursor of the next.
pub(super) fn page<T: Clone>(
    items: &[T],
    asked: Option<PaginatedRequestParams>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    let start = match asked.and_then(|asked| asked.cursor) {
        Some(cursor) => parse(&cursor, items.len())?,
        None => 0,
    };
    let end = items.len().min(start + ITEMS);
    let next = (end < items.len()).then(|| end.to_string());
    Ok((items[start..end].to_vec(), next))
}

fn parse(cursor: &str, items: usize) -> Result<usize, ErrorData> {
    let start = cursor.parse().ok().filter(|&start: &usize| start <= items);
    start.ok_or_else(|| {
        ErrorData::invalid_params("This cursor is none that this server gave; list again without one.", None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(items: usize, cursor: Option<&str>, expected: Option<(usize, Option<&str>)>) {
        let items = vec![(); items];
        let asked = PaginatedRequestParams::default().with_cursor(cursor.map(Into::into));
        let found = page(&items, Some(asked)).ok();
        let found = found.as_ref().map(|(items, next)| (items.len(), next.as_deref()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_list_is_walked_to_its_end() {
        check(0, None, Some((0, None)));
        check(100, None, Some((100, None)));
        check(250, None, Some((100, Some("100"))));
        check(250, Some("200"), Some((50, None)));
        check(250, Some("251"), None);
        check(250, Some("-1"), None);
        check(250, Some("x"), None);
    }
}
