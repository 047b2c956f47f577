//! The names pages go by. Pure.

/// Which page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// All providers.
    Overview,
    /// One provider.
    Provider(String),
    /// One function, by provider and function.
    Function(String, String),
}

impl Page {
    /// Accepts what scripts can write: `ringcentral`, `ringcentral.list_messages`, either with an account in between,
    /// and either after `integrations.` or `app.integrations.`.
    pub(super) fn parse(name: &str) -> Self {
        let name = name.trim().trim_end_matches("()").trim_matches('.').to_lowercase();
        let name = name.strip_prefix("app.").unwrap_or(&name);
        let segments: Vec<&str> = name.strip_prefix("integrations.").unwrap_or(name).split('.').collect();
        match segments.as_slice() {
            [] | ["" | "app" | "integrations" | "overview"] => Self::Overview,
            [provider] => Self::Provider((*provider).into()),
            [provider, .., function] => Self::Function((*provider).into(), (*function).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: Page) {
        for name in names {
            assert_eq!(Page::parse(name), expected, "{name}");
        }
    }

    #[test]
    fn a_page_goes_by_every_name_a_script_could_use() {
        check(&["", " ", "app", "integrations", "app.integrations", "overview"], Page::Overview);
        check(
            &[
                "ringcentral",
                " RingCentral ",
                "integrations.ringcentral",
                "app.integrations.ringcentral",
                "ringcentral.",
            ],
            Page::Provider("ringcentral".into()),
        );
        check(
            &[
                "ringcentral.list_messages",
                "ringcentral.list_messages()",
                "integrations.ringcentral.list_messages",
                "app.integrations.ringcentral.list_messages",
                "app.integrations.ringcentral.work.list_messages",
            ],
            Page::Function("ringcentral".into(), "list_messages".into()),
        );
    }
}
