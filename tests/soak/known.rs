//! What an account must hold, as far as whoever changed it can know.

/// The tokens that may be there; None is no account.
#[derive(Clone, Debug)]
pub struct Known(Vec<Option<String>>);

impl Known {
    /// There is no such account.
    pub fn nothing() -> Self {
        Self(vec![None])
    }

    /// A change was confirmed.
    pub fn confirm(&mut self, value: Option<String>) {
        self.0 = vec![value];
    }

    /// Whoever made a change was killed before it could say whether it was made.
    pub fn doubt(&mut self, value: Option<String>) {
        self.0.push(value);
    }

    /// Whether this may be there. From then on it is what is there.
    pub fn settle(&mut self, found: Option<&str>) -> bool {
        let fits = self.0.iter().any(|known| known.as_deref() == found);
        self.0 = vec![found.map(Into::into)];
        fits
    }

    /// Whether only one thing can be there.
    pub fn is_certain(&self) -> bool {
        self.0.len() == 1
    }
}
