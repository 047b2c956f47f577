//! Markdown without its signs, for people at a terminal. Pure.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The same text: headings underlined, code indented, tables in columns.
pub fn plain(markdown: &str) -> String {
    let mut page = Page::default();
    Parser::new_ext(markdown, Options::ENABLE_TABLES).for_each(|event| page.take(event));
    page.blocks.join("\n").trim_end().to_owned()
}

/// What was read so far.
#[derive(Default)]
struct Page {
    /// Finished lines, an empty one between paragraphs.
    blocks: Vec<String>,
    /// The text of the block being read.
    text: String,
    /// For each list around it, the next number, or nothing for bullets.
    lists: Vec<Option<u64>>,
    rows: Vec<Vec<String>>,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(end) => self.end(end),
            Event::Code(text) => self.text.push_str(&format!("`{text}`")),
            Event::SoftBreak | Event::HardBreak => self.text.push('\n'),
            Event::Rule => self.block(&"-".repeat(40)),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text.push_str(&text),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::List(first) => self.list(*first),
            Tag::Item => self.item(),
            Tag::Table(_) => self.rows.clear(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::Paragraph if !self.lists.is_empty() => {}
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(""),
            TagEnd::CodeBlock => self.flush("    "),
            TagEnd::Item => self.end_item(),
            TagEnd::List(_) => self.end_list(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                self.rows.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        let sign = if level == HeadingLevel::H1 { "=" } else { "-" };
        let line = sign.repeat(self.text.chars().count());
        self.text.push('\n');
        self.text.push_str(&line);
        self.flush("");
    }

    /// What stands before a list in the same item is a line of its own.
    fn list(&mut self, first: Option<u64>) {
        if !self.text.is_empty() {
            self.end_item();
        }
        self.lists.push(first);
    }

    fn item(&mut self) {
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".into(),
        };
        self.text.push_str(&mark);
    }

    fn end_item(&mut self) {
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let text = std::mem::take(&mut self.text);
        let lines = text.lines().enumerate().map(|(at, line)| match at {
            0 => format!("{indent}{line}"),
            _ => format!("{indent}  {line}"),
        });
        self.blocks.extend(lines);
    }

    fn end_list(&mut self) {
        self.lists.pop();
        if self.lists.is_empty() {
            self.blocks.push(String::new());
        }
    }

    fn table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let widths: Vec<_> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.block(&rows.iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    fn flush(&mut self, indent: &str) {
        let text = std::mem::take(&mut self.text);
        let lines = text.trim_end().lines().map(|line| format!("{indent}{line}").trim_end().to_owned());
        self.block(&lines.collect::<Vec<_>>().join("\n"));
    }

    fn block(&mut self, text: &str) {
        self.blocks.extend([text.to_owned(), String::new()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(markdown: &str, expected: &str) {
        assert_eq!(plain(markdown), expected);
    }

    #[test]
    fn every_kind_of_block_keeps_its_text() {
        check(
            "# Title\n\nOne *line*\nand another.\n\n## Part\n",
            "Title\n=====\n\nOne line\nand another.\n\nPart\n----",
        );
        check("a\n\n```lua\nprint(1)\n\n  x()\n```\n\nb", "a\n\n    print(1)\n\n      x()\n\nb");
        check("- `a`: one\n- two\n  wrapped\n\nend", "- `a`: one\n- two\n  wrapped\n\nend");
        check("3. a\n4. b\n   - c\n", "3. a\n4. b\n  - c");
        check("| A | Bee |\n|---|---|\n| `x` | 1 \\| 2 |\n| yy | |\n", "A    Bee\n`x`  1 | 2\nyy");
        check(
            "<b>x</b> [text](http://a.example) ![alt](b.png)\n\n---\n",
            &format!("<b>x</b> text alt\n\n{}", "-".repeat(40)),
        );
        check("", "");
    }
}
