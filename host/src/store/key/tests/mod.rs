//! Keys that are made, found, moved and missed.

use super::*;
use crate::store::{Store, StoreError, UNUSABLE, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A keyring as a test wants it.
#[derive(Clone, Debug, Default)]
struct Fake {
    keys: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    locked: Arc<Mutex<bool>>,
}

impl Fake {
    fn lock(&self, locked: bool) {
        *self.locked.lock().unwrap_or_else(PoisonError::into_inner) = locked;
    }

    fn open<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> Result<T, String> {
        match *self.locked.lock().unwrap_or_else(PoisonError::into_inner) {
            true => Err("it is locked".into()),
            false => Ok(work(&mut self.keys.lock().unwrap_or_else(PoisonError::into_inner))),
        }
    }

    fn count(&self) -> usize {
        self.open(|keys| keys.len()).unwrap_or_default()
    }
}

impl Keyring for Fake {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.open(|keys| keys.get(name).cloned())
    }

    fn put(&self, name: &str, key: &[u8]) -> Result<(), String> {
        self.open(|keys| drop(keys.insert(name.into(), key.into())))
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        self.open(|keys| drop(keys.remove(name)))
    }
}

struct Home {
    folder: tempfile::TempDir,
    keyring: Fake,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), keyring: Fake::default() }
    }

    /// A store as another process opens it.
    fn store(&self, given: Option<&str>, wish: Wish) -> Store {
        let keyring: Box<dyn Keyring> = Box::new(self.keyring.clone());
        Store::with(self.folder.path(), Keys { given: given.map(Secret::new), wish, keyring: Some(keyring) })
    }

    fn without_keyring(&self, given: Option<&str>) -> Store {
        Store::new(self.folder.path(), given.map(Secret::new))
    }

    fn has_file(&self) -> bool {
        self.folder.path().join(FILE).exists()
    }

    /// The places that have a key: the file and the keyring.
    fn keys(&self) -> (bool, usize) {
        (self.has_file(), self.keyring.count())
    }
}

fn keep(store: &Store) -> Result<(), StoreError> {
    let set = [("access_token".to_owned(), Value::Text(Secret::new("s3cr3t")))].into();
    store.change("dialpad", "default", &set, &[])
}

#[track_caller]
fn opens(store: &Store, place: Place) {
    let fields = store.fields("dialpad", "default").expect("readable");
    assert!(matches!(fields.get("access_token"), Some(Value::Text(text)) if text.expose() == "s3cr3t"));
    assert_eq!(store.key_place().expect("opened"), place);
}

#[test]
fn the_keyring_is_used_where_there_is_one_and_a_file_where_it_is_locked() {
    let home = Home::new();
    keep(&home.store(None, Wish::Best)).expect("kept");
    assert_eq!(home.keys(), (false, 1));
    opens(&home.store(None, Wish::Best), Place::Keyring);

    let home = Home::new();
    home.keyring.lock(true);
    keep(&home.store(None, Wish::Best)).expect("kept");
    home.keyring.lock(false);
    opens(&home.store(None, Wish::Best), Place::File);
    assert_eq!(home.keys(), (true, 0), "there is one key");
}

#[test]
fn who_insists_on_the_keyring_is_told_that_it_is_locked() {
    let home = Home::new();
    home.keyring.lock(true);
    let error = keep(&home.store(None, Wish::Keyring)).expect_err("refused").to_string();
    assert!(error.contains("the keyring: it is locked"), "{error}");
    assert!(!home.has_file());
    let none = Store::with(home.folder.path(), Keys { wish: Wish::Keyring, ..Keys::default() });
    let error = keep(&none).expect_err("refused").to_string();
    assert!(error.contains("no session bus"), "{error}");
}

#[test]
fn a_store_whose_key_is_not_at_hand_gets_no_second_one() {
    let home = Home::new();
    keep(&home.store(None, Wish::Best)).expect("kept");
    home.keyring.lock(true);
    let error = keep(&home.store(None, Wish::Best)).expect_err("refused").to_string();
    assert!(error.contains("the keyring: it is locked"), "{error}");
    let error = keep(&home.without_keyring(None)).expect_err("refused").to_string();
    assert!(error.contains("it was in the keyring"), "{error}");
    assert!(!home.has_file());
    home.keyring.lock(false);
    opens(&home.store(None, Wish::Best), Place::Keyring);
}

#[test]
fn a_store_whose_keyring_was_locked_opens_once_it_is_unlocked() {
    let home = Home::new();
    keep(&home.store(None, Wish::Best)).expect("kept");
    home.keyring.lock(true);
    let store = home.store(None, Wish::Best);
    keep(&store).expect_err("locked");
    home.keyring.lock(false);
    std::thread::sleep(UNUSABLE);
    opens(&store, Place::Keyring);
}

#[test]
fn a_key_file_that_is_there_keeps_working_and_moves_only_when_told() {
    let home = Home::new();
    keep(&home.without_keyring(None)).expect("kept");
    opens(&home.store(None, Wish::Best), Place::File);
    opens(&home.store(Some("a variable that came later"), Wish::Best), Place::File);
    opens(&home.store(None, Wish::Keyring), Place::Keyring);
    assert_eq!(home.keys(), (false, 1));
    opens(&home.store(None, Wish::Best), Place::Keyring);
    opens(&home.store(None, Wish::File), Place::File);
    assert_eq!(home.keys(), (true, 0));
    opens(&home.without_keyring(None), Place::File);
}

#[test]
fn the_operators_own_key_opens_what_it_sealed_and_no_other_does() {
    let home = Home::new();
    keep(&home.store(Some("my own key"), Wish::Best)).expect("kept");
    opens(&home.store(Some("my own key"), Wish::Keyring), Place::Variable);
    assert_eq!(home.keys(), (false, 0));
    let error = keep(&home.store(Some("another key"), Wish::Best)).expect_err("refused").to_string();
    assert!(error.contains("KOSMO_CREDENTIAL_KEY does not open it"), "{error}");
    let error = keep(&home.without_keyring(None)).expect_err("refused").to_string();
    assert!(error.contains("it was in KOSMO_CREDENTIAL_KEY, and there is none"), "{error}");
}

#[test]
fn a_store_without_a_record_is_opened_by_whatever_sealed_it() {
    for given in [None, Some("my own key")] {
        let home = Home::new();
        let store = home.without_keyring(given);
        keep(&store).expect("kept");
        store.forget_key_record();
        drop(store);
        let place = if given.is_some() { Place::Variable } else { Place::File };
        opens(&home.store(given, Wish::Best), place);
    }
}

#[test]
fn many_that_come_first_make_one_key() {
    let home = Home::new();
    let first = || keep(&home.store(None, Wish::Best)).expect("kept");
    std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(first))));
    assert_eq!(home.keys(), (false, 1));
    opens(&home.store(None, Wish::Best), Place::Keyring);
}
