//! HTML that cannot be broken by what it shows: there is no way from text to [`Html`] but through an escape. Pure.

/// Markup that is complete and safe.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Html(String);

impl Html {
    /// Markup that was made safe elsewhere, or is our own.
    pub(super) fn trusted(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

/// Text as it is.
pub(super) fn text(text: &str) -> Html {
    Html(escaped(text))
}

/// An element with attributes and content.
pub(super) fn element(
    name: &'static str,
    attributes: &[(&'static str, &str)],
    content: impl IntoIterator<Item = Html>,
) -> Html {
    let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
    Html(format!("<{name}{attributes}>{}</{name}>", content.into_iter().collect::<Html>().0))
}

/// Code in a block of its own.
pub(super) fn code_block(language: &str, code: &str) -> Html {
    let class = format!("language-{language}");
    let code = element("code", &[("class", &class)], [text(code)]);
    // Blocks scroll sideways, which takes a place in the order of keys.
    element("pre", &[("tabindex", "0")], [code])
}

/// A heading that can be linked to.
pub(super) fn heading(id: &str, title: &str) -> Html {
    element("h2", &[("id", id)], [text(title)])
}

/// A paragraph.
pub(super) fn paragraph(content: impl IntoIterator<Item = Html>) -> Html {
    element("p", &[], content)
}

/// A word of code.
pub(super) fn code(word: &str) -> Html {
    element("code", &[], [text(word)])
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_stay_text_and_attributes() {
        let html = element("a", &[("href", "\"><script>")], [text("<b>&'\"")]);
        assert_eq!(html.into_string(), "<a href=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&#39;&quot;</a>");
    }
}
