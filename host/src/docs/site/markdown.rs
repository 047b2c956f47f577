//! Markdown by plugins as HTML that can do no harm: HTML in it is shown as text, links lead to the web or within the
//! page, images are their descriptions. Pure.

use super::html::Html;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

/// The text, its headings as deep as `top` and below.
pub(super) fn rendered(markdown: &str, top: HeadingLevel) -> Html {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut made = String::with_capacity(markdown.len() * 2);
    let mut harmless = Harmless { deeper: top as usize - 1, links: Vec::new() };
    let events = Parser::new_ext(markdown, options).flat_map(|event| harmless.event(event));
    pulldown_cmark::html::push_html(&mut made, events);
    Html::trusted(made)
}

struct Harmless {
    /// How many levels headings move down.
    deeper: usize,
    /// Of each link around: whether it leads anywhere.
    links: Vec<bool>,
}

impl Harmless {
    fn event<'a>(&mut self, event: Event<'a>) -> Vec<Event<'a>> {
        match event {
            Event::Html(markup) | Event::InlineHtml(markup) => vec![Event::Text(markup)],
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            other => vec![other],
        }
    }

    fn start<'a>(&mut self, tag: Tag<'a>) -> Vec<Event<'a>> {
        match tag {
            Tag::Link { link_type, dest_url, .. } => self.link(link_type, dest_url),
            Tag::Image { .. } | Tag::HtmlBlock => Vec::new(),
            Tag::Heading { level, .. } => {
                vec![Event::Start(Tag::Heading { level: self.moved(level), id: None, classes: vec![], attrs: vec![] })]
            }
            Tag::Table(_) => vec![own("<div class=\"scroll\" tabindex=\"0\">"), Event::Start(tag)],
            other => vec![Event::Start(other)],
        }
    }

    fn end<'a>(&mut self, end: TagEnd) -> Vec<Event<'a>> {
        match end {
            TagEnd::Link => self.links.pop().filter(|leads| *leads).map(|_| Event::End(end)).into_iter().collect(),
            TagEnd::Image | TagEnd::HtmlBlock => Vec::new(),
            TagEnd::Heading(level) => vec![Event::End(TagEnd::Heading(self.moved(level)))],
            TagEnd::Table => vec![Event::End(end), own("</div>")],
            other => vec![Event::End(other)],
        }
    }

    /// Who writes a guide does not choose what a click on it runs or opens here.
    fn link<'a>(&mut self, link_type: LinkType, dest_url: CowStr<'a>) -> Vec<Event<'a>> {
        let web = ["https://", "http://"].iter().any(|scheme| dest_url.starts_with(scheme));
        let leads = web && link_type != LinkType::Email;
        self.links.push(leads);
        let tag = Tag::Link { link_type, dest_url, title: "".into(), id: "".into() };
        leads.then_some(Event::Start(tag)).into_iter().collect()
    }

    fn moved(&self, level: HeadingLevel) -> HeadingLevel {
        HeadingLevel::try_from(level as usize + self.deeper).unwrap_or(HeadingLevel::H6)
    }
}

/// Markup of ours.
fn own(markup: &'static str) -> Event<'static> {
    Event::Html(markup.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(markdown: &str, expected: &str) {
        assert_eq!(rendered(markdown, HeadingLevel::H2).into_string().trim_end(), expected);
    }

    #[test]
    fn markup_of_others_is_text() {
        check("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
        check("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>");
        check("```\"><script>\nx\n```", "<pre><code class=\"language-&quot;&gt;&lt;script&gt;\">x\n</code></pre>");
    }

    #[test]
    fn links_lead_to_the_web_or_nowhere() {
        check("[a](https://a.example/?b=1&c \"t\")", "<p><a href=\"https://a.example/?b=1&amp;c\">a</a></p>");
        check("[a](javascript:alert(1)) <file:///etc/passwd>", "<p>a file:///etc/passwd</p>");
        check("[a](JAVAscript:x) [b](data:text/html,x) <a@b.example>", "<p>a b a@b.example</p>");
        check(
            "[*a* [b](https://b.example)](vbscript:x)",
            "<p>[<em>a</em> <a href=\"https://b.example\">b</a>](vbscript:x)</p>",
        );
    }

    #[test]
    fn images_are_their_descriptions() {
        check("![a *map*](https://tracker.example/x.png)", "<p>a <em>map</em></p>");
    }

    #[test]
    fn headings_move_down_and_tables_scroll() {
        check("# A\n###### B", "<h2>A</h2>\n<h6>B</h6>");
        let html = rendered("| a |\n|---|\n| b |", HeadingLevel::H1).into_string();
        assert!(html.starts_with("<div class=\"scroll\" tabindex=\"0\"><table>"), "{html}");
        assert!(html.trim_end().ends_with("</table>\n</div>"), "{html}");
    }
}
