//! Columns that line up.

use super::output::in_one_line;

/// Rows under a header, two spaces between columns, nothing after the last. A cell is one line.
pub(super) fn aligned(header: &[&str], rows: &[Vec<String>]) -> String {
    let header = header.iter().map(|&title| title.to_owned()).collect::<Vec<_>>();
    let cells = |row: &Vec<String>| row.iter().map(|cell| in_one_line(cell).into_owned()).collect::<Vec<_>>();
    let all: Vec<_> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..all[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    all.iter().map(|row| line(row, &widths)).collect::<Vec<_>>().join("\n")
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_they_hold() {
        let rows = [vec!["Zoë".into(), "1".into()], vec!["a".into(), String::new()]];
        assert_eq!(aligned(&["NAME", "N"], &rows), "NAME  N\nZoë   1\na");
        let rows = [vec!["a\nb".into(), "\x1b[31m".into()]];
        assert_eq!(aligned(&["NAME", "N"], &rows), "NAME  N\na\\nb  \\u{1b}[31m");
    }
}
