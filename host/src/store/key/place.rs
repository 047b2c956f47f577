//! Where the key may lie that seals the store, and which of these places is the one. Pure.

use serde::Deserialize;

/// Where a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `KOSMO_CREDENTIAL_KEY`
    Variable,
    /// The key file in the home.
    File,
    /// The keyring of the desktop.
    Keyring,
}

/// What the operator says of it: `[store] key = "file"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wish {
    /// In the keyring, where there is one that can be used, and otherwise in a file.
    #[default]
    #[serde(rename = "auto")]
    Best,
    /// In a file; the keyring is not asked for anything else than to give it up.
    File,
    /// In the keyring and nowhere else.
    Keyring,
}

/// What there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Present {
    /// `KOSMO_CREDENTIAL_KEY` is set.
    pub(super) variable: bool,
    /// There is a key file.
    pub(super) file: bool,
    /// There is a keyring to talk to. It may be locked all the same.
    pub(super) keyring: bool,
}

impl Place {
    const ALL: [Self; 3] = [Self::Variable, Self::File, Self::Keyring];

    /// As it is recorded.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }

    /// As people read it.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Variable => "KOSMO_CREDENTIAL_KEY in the environment",
            Self::File => "credential.key beside it",
            Self::Keyring => "the keyring of the desktop",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.as_str() == word)
    }
}

impl Present {
    fn has(self, place: Place) -> bool {
        match place {
            Place::Variable => self.variable,
            Place::File => self.file,
            Place::Keyring => self.keyring,
        }
    }
}

/// Where the key of a store that is sealed already may be, the likeliest place first: it was last at `recorded`.
pub(super) fn candidates(recorded: Option<Place>, present: Present) -> Vec<Place> {
    let others = Place::ALL.into_iter().filter(|place| Some(*place) != recorded);
    recorded.into_iter().chain(others).filter(|place| present.has(*place)).collect()
}

/// Where the key of a store is to be that has none yet. A key that is there is taken before one is made.
pub(super) fn first(wish: Wish, present: Present) -> Place {
    match wish {
        _ if present.variable => Place::Variable,
        Wish::Keyring => Place::Keyring,
        Wish::Best if present.keyring && !present.file => Place::Keyring,
        Wish::Best | Wish::File => Place::File,
    }
}

/// Where a key that is here has to go, if the operator wants it elsewhere.
pub(super) fn destination(here: Place, wish: Wish) -> Option<Place> {
    match (here, wish) {
        (Place::File, Wish::Keyring) => Some(Place::Keyring),
        (Place::Keyring, Wish::File) => Some(Place::File),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Present = Present { variable: false, file: false, keyring: false };
    const ALL: Present = Present { variable: true, file: true, keyring: true };

    #[test]
    fn a_store_without_a_key_gets_one_where_it_is_wanted() {
        let keyring = Present { keyring: true, ..NOTHING };
        let both = Present { file: true, ..keyring };
        assert_eq!(first(Wish::Best, NOTHING), Place::File);
        assert_eq!(first(Wish::Best, keyring), Place::Keyring);
        assert_eq!(first(Wish::Best, both), Place::File, "a key file that is there keeps working");
        assert_eq!(first(Wish::File, keyring), Place::File);
        assert_eq!(first(Wish::Keyring, NOTHING), Place::Keyring, "rather none than another place");
        for wish in [Wish::Best, Wish::File, Wish::Keyring] {
            assert_eq!(first(wish, ALL), Place::Variable, "the operator's own key goes first");
        }
    }

    #[test]
    fn a_sealed_store_is_opened_from_where_its_key_was_and_else_from_anywhere() {
        use Place::{File, Keyring, Variable};
        assert_eq!(candidates(Some(Keyring), ALL), [Keyring, Variable, File]);
        assert_eq!(candidates(None, ALL), [Variable, File, Keyring]);
        assert_eq!(candidates(Some(Keyring), Present { file: true, ..NOTHING }), [File]);
        assert_eq!(candidates(Some(File), NOTHING), []);
    }

    #[test]
    fn a_key_moves_between_file_and_keyring_only_and_only_when_told() {
        assert_eq!(destination(Place::File, Wish::Keyring), Some(Place::Keyring));
        assert_eq!(destination(Place::Keyring, Wish::File), Some(Place::File));
        for (here, wish) in [(Place::File, Wish::Best), (Place::Keyring, Wish::Best), (Place::Variable, Wish::File)] {
            assert_eq!(destination(here, wish), None);
        }
    }
}
