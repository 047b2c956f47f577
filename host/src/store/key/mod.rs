//! The key that seals what the store keeps: in the keyring of the desktop where there is one, else in a file of the
//! home, or given by the operator. There is one for each store, and whatever opens the store's probe is it.

mod keyring;
mod place;
mod record;
#[cfg(target_os = "linux")]
mod secret_service;

pub(crate) use keyring::{Keyring, of_session};
pub(crate) use place::{Place, Wish};

use super::seal::Seal;
use crate::files;
use crate::secret::Secret;
use place::{Present, candidates, destination, first};
use record::Record;
use rusqlite::Connection;
use std::io;
use std::path::Path;

/// The environment variable that replaces the key file.
pub(super) const VARIABLE: &str = "KOSMO_CREDENTIAL_KEY";
/// The key file in the home, made at first use.
pub(super) const FILE: &str = "credential.key";

/// Where keys can come from.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// What `KOSMO_CREDENTIAL_KEY` says, if it does.
    pub(crate) given: Option<Secret>,
    /// Where the operator wants the key.
    pub(crate) wish: Wish,
    /// The keyring, if there is one.
    pub(crate) keyring: Option<Box<dyn Keyring>>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error("{0}")]
    Unusable(String),
    #[error(
        "its key is not at hand: {0}. Put the key back that it was sealed with, or unlock the keyring that has it; or \
         move the file away and configure the accounts again."
    )]
    Lost(String),
}

/// An opened key, and where it lies.
pub(super) struct Found {
    pub(super) seal: Seal,
    pub(super) place: Place,
}

impl Keys {
    /// Whether [`Keys::find`] has nothing to write, so that many processes may do it at once.
    pub(super) fn is_settled(&self, connection: &Connection) -> Result<bool, KeyError> {
        let record = Record::read(connection)?;
        Ok(record.is_some_and(|record| record.place.is_some_and(|place| destination(place, self.wish).is_none())))
    }

    /// The key of this store, made if it has none, and moved where the operator wants it.
    pub(super) fn find(&self, home: &Path, connection: &Connection) -> Result<Found, KeyError> {
        match Record::read(connection)? {
            Some(record) => self.of_sealed(home, connection, record),
            None => self.of_unrecorded(home, connection),
        }
    }

    fn of_sealed(&self, home: &Path, connection: &Connection, record: Record) -> Result<Found, KeyError> {
        let (key, place) = self.opening(home, record.place, &record.name, |seal| record.opens(seal))?;
        let place = self.moved(home, &record, place, &key)?;
        if record.place != Some(place) {
            Record { place: Some(place), ..record }.write(connection)?;
        }
        Ok(Found { seal: sealing(&key)?, place })
    }

    /// A store that is empty, or was filled by a kosmo that left no record.
    fn of_unrecorded(&self, home: &Path, connection: &Connection) -> Result<Found, KeyError> {
        let name = record::new_name().map_err(unusable)?;
        let (key, place) = match record::sample(connection)? {
            Some(sample) => self.opening(home, None, &name, |seal| sample.opens(seal))?,
            None => self.made(home, &name)?,
        };
        let seal = sealing(&key)?;
        let record = Record::new(name, place, &seal).ok_or_else(|| unusable("there is no randomness"))?;
        record.write(connection)?;
        let place = self.moved(home, &record, place, &key)?;
        if record.place != Some(place) {
            Record { place: Some(place), ..record }.write(connection)?;
        }
        Ok(Found { seal, place })
    }

    /// The first key that opens what is sealed.
    fn opening(
        &self,
        home: &Path,
        recorded: Option<Place>,
        name: &str,
        opens: impl Fn(&Seal) -> bool,
    ) -> Result<(Vec<u8>, Place), KeyError> {
        let mut tried = Vec::new();
        for place in candidates(recorded, self.present(home)) {
            match self.fetch(home, place, name) {
                Ok(Some(key)) if Seal::new(&key).is_some_and(|seal| opens(&seal)) => return Ok((key, place)),
                Ok(Some(_)) => tried.push(format!("{} does not open it", called(place))),
                Ok(None) => tried.push(format!("{} does not have it", called(place))),
                Err(error) => tried.push(format!("{}: {error}", called(place))),
            }
        }
        let gone = recorded.map(|place| format!("it was in {}, and there is none", called(place)));
        Err(KeyError::Lost(if tried.is_empty() {
            gone.unwrap_or_else(|| "there is none".into())
        } else {
            tried.join(", ")
        }))
    }

    fn made(&self, home: &Path, name: &str) -> Result<(Vec<u8>, Place), KeyError> {
        let place = first(self.wish, self.present(home));
        match self.make(home, place, name) {
            Ok(key) => Ok((key, place)),
            // Nobody insisted on the keyring.
            Err(_) if place == Place::Keyring && self.wish == Wish::Best => {
                Ok((self.make(home, Place::File, name).map_err(unusable)?, Place::File))
            }
            Err(error) => Err(unusable(format!("{}: {error}", called(place)))),
        }
    }

    /// Copied, read back, and only then removed: a key in two places is still one key.
    fn moved(&self, home: &Path, record: &Record, here: Place, key: &[u8]) -> Result<Place, KeyError> {
        let Some(there) = destination(here, self.wish) else { return Ok(here) };
        let put = match there {
            Place::Keyring => self.keep(&record.name, key),
            Place::File | Place::Variable => files::create(&home.join(FILE), key).map_err(|error| error.to_string()),
        };
        let kept = put.and_then(|()| self.fetch(home, there, &record.name));
        match kept {
            Ok(Some(kept)) if kept == key => {}
            Ok(_) => return Err(unusable(format!("{} has another key already", called(there)))),
            Err(error) => return Err(unusable(format!("[store] key: {}: {error}", called(there)))),
        }
        // Where it cannot be removed, it opens the store all the same.
        let _ = match here {
            Place::Keyring => self.keyring.iter().try_for_each(|keyring| keyring.remove(&record.name)),
            Place::File | Place::Variable => std::fs::remove_file(home.join(FILE)).map_err(|error| error.to_string()),
        };
        Ok(there)
    }

    fn present(&self, home: &Path) -> Present {
        let (variable, file) = (self.given.is_some(), home.join(FILE).exists());
        Present { variable, file, keyring: self.keyring.is_some() }
    }

    fn fetch(&self, home: &Path, place: Place, name: &str) -> Result<Option<Vec<u8>>, String> {
        match place {
            Place::Variable => Ok(self.given.as_ref().map(|given| given.expose().as_bytes().to_vec())),
            Place::File => of_file(&home.join(FILE)).map(Some).map_err(|error| error.to_string()),
            Place::Keyring => self.keyring.as_ref().map_or(Ok(None), |keyring| keyring.get(name)),
        }
    }

    fn make(&self, home: &Path, place: Place, name: &str) -> Result<Vec<u8>, String> {
        let key = files::new_key().map_err(|error| error.to_string())?;
        match place {
            Place::Variable => {}
            Place::File => files::create(&home.join(FILE), &key).map_err(|error| error.to_string())?,
            Place::Keyring => self.keep(name, &key)?,
        }
        self.fetch(home, place, name)?.ok_or_else(|| "it does not keep what it is given".into())
    }

    fn keep(&self, name: &str, key: &[u8]) -> Result<(), String> {
        let keyring = self.keyring.as_ref().ok_or("there is none: no session bus in the environment")?;
        keyring.put(name, key)
    }
}

/// What errors call a place.
pub(super) fn called(place: Place) -> &'static str {
    match place {
        Place::Variable => VARIABLE,
        Place::File => FILE,
        Place::Keyring => "the keyring",
    }
}

fn sealing(key: &[u8]) -> Result<Seal, KeyError> {
    Seal::new(key).ok_or_else(|| unusable("no key can be made of it"))
}

fn unusable(error: impl std::fmt::Display) -> KeyError {
    KeyError::Unusable(error.to_string())
}

fn of_file(file: &Path) -> io::Result<Vec<u8>> {
    files::close(file)?;
    let key = std::fs::read(file)?;
    match key.len() {
        files::KEY.. => Ok(key),
        _ => Err(io::Error::other(format!("{} has fewer than {} bytes", file.display(), files::KEY))),
    }
}

#[cfg(test)]
mod tests;
