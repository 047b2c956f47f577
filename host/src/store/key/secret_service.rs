//! The Secret Service of a Linux desktop: GNOME Keyring, KWallet, KeePassXC. It may want to ask the person something
//! first; then it counts as locked.

use super::keyring::{Keyring, bounded};
use dbus::Path;
use dbus::arg::{AppendAll, PropMap, ReadAll, Variant};
use dbus::blocking::Connection;
use std::collections::HashMap;
use std::time::Duration;

const SERVICE: &str = "org.freedesktop.secrets";
/// How long one question may take.
const EACH: Duration = Duration::from_secs(2);
/// The collection that new secrets go to.
const DEFAULT: &str = "default";

/// A secret as it travels: the session, what it is encrypted with, itself, its type.
type Wire = (Path<'static>, Vec<u8>, Vec<u8>, String);

pub(super) fn keyring() -> Option<Box<dyn Keyring>> {
    Some(Box::new(SecretService))
}

#[derive(Debug)]
struct SecretService;

/// A session, in which secrets travel as they are: the bus is the user's own.
struct Session {
    bus: Connection,
    path: Path<'static>,
}

impl Keyring for SecretService {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let name = name.to_owned();
        bounded(move || {
            let session = Session::open()?;
            session.find(&name)?.map(|item| session.secret(item)).transpose()
        })
    }

    fn put(&self, name: &str, key: &[u8]) -> Result<(), String> {
        let (name, key) = (name.to_owned(), key.to_owned());
        bounded(move || Session::open()?.create(&name, key))
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        let name = name.to_owned();
        bounded(move || {
            let session = Session::open()?;
            session.find(&name)?.map_or(Ok(()), |item| session.delete(item))
        })
    }
}

impl Session {
    fn open() -> Result<Self, String> {
        let bus = Connection::new_session().map_err(|error| said(&error))?;
        let plain = ("plain", Variant(String::new()));
        let (_, path): (Variant<String>, _) = ask(&bus, service(), "Service", "OpenSession", plain)?;
        Ok(Self { bus, path })
    }

    fn ask<R: ReadAll>(&self, path: Path<'_>, of: &str, what: &str, with: impl AppendAll) -> Result<R, String> {
        ask(&self.bus, path, of, what, with)
    }

    fn find(&self, name: &str) -> Result<Option<Path<'static>>, String> {
        let (mut open, mut locked): (Vec<_>, Vec<_>) =
            self.ask(service(), "Service", "SearchItems", (attributes(name),))?;
        match locked.pop() {
            Some(item) if open.is_empty() => self.unlock(item).map(Some),
            _ => Ok(open.pop()),
        }
    }

    fn unlock(&self, what: Path<'static>) -> Result<Path<'static>, String> {
        let (_, prompt): (Vec<Path<'static>>, _) = self.ask(service(), "Service", "Unlock", (vec![what.clone()],))?;
        unprompted(&prompt).map(|()| what)
    }

    fn secret(&self, item: Path<'static>) -> Result<Vec<u8>, String> {
        let ((_, _, secret, _),): (Wire,) = self.ask(item, "Item", "GetSecret", (self.path.clone(),))?;
        Ok(secret)
    }

    fn create(&self, name: &str, key: Vec<u8>) -> Result<(), String> {
        let (collection,): (Path<'static>,) = self.ask(service(), "Service", "ReadAlias", (DEFAULT,))?;
        if is_none(&collection) {
            return Err("it has no default collection".into());
        }
        let collection = self.unlock(collection)?;
        let secret: Wire = (self.path.clone(), Vec::new(), key, "application/octet-stream".into());
        let (_, prompt): (Path<'static>, Path<'static>) =
            self.ask(collection, "Collection", "CreateItem", (properties(name), secret, true))?;
        unprompted(&prompt)
    }

    fn delete(&self, item: Path<'static>) -> Result<(), String> {
        let (prompt,): (Path<'static>,) = self.ask(item, "Item", "Delete", ())?;
        unprompted(&prompt)
    }
}

fn ask<R: ReadAll>(bus: &Connection, path: Path<'_>, of: &str, what: &str, with: impl AppendAll) -> Result<R, String> {
    let object = bus.with_proxy(SERVICE, path, EACH);
    object.method_call(format!("org.freedesktop.Secret.{of}"), what, with).map_err(|error| said(&error))
}

fn service() -> Path<'static> {
    Path::from("/org/freedesktop/secrets")
}

fn attributes(name: &str) -> HashMap<&str, &str> {
    HashMap::from([("application", "kosmo"), ("store", name)])
}

fn properties(name: &str) -> PropMap {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let attributes: HashMap<String, String> = attributes(name).into_iter().map(owned).collect();
    let mut properties = PropMap::new();
    let label = Box::new(format!("kosmo: key of the store {name}"));
    properties.insert("org.freedesktop.Secret.Item.Label".into(), Variant(label));
    properties.insert("org.freedesktop.Secret.Item.Attributes".into(), Variant(Box::new(attributes)));
    properties
}

/// Where there is nothing, the protocol has this path.
fn is_none(path: &Path<'_>) -> bool {
    &**path == "/"
}

/// A prompt could be waited for longer than anybody waits for a command.
fn unprompted(prompt: &Path<'_>) -> Result<(), String> {
    if is_none(prompt) { Ok(()) } else { Err("it is locked".into()) }
}

fn said(error: &dbus::Error) -> String {
    match error.name() {
        Some("org.freedesktop.DBus.Error.ServiceUnknown") => "nothing answers for it".into(),
        Some("org.freedesktop.Secret.Error.IsLocked") => "it is locked".into(),
        _ => error.message().unwrap_or("it does not answer").to_owned(),
    }
}
