//! The terminal's settings as they were found, and giving them back however this ends.

pub(super) use system::{Kept, restore};

#[cfg(unix)]
mod system {
    use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
    use std::io::{self, stdin};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static FOUND: Mutex<Found> = Mutex::new(Found { settings: None, holders: 0 });

    struct Found {
        settings: Option<Termios>,
        /// Those that may have changed them since.
        holders: usize,
    }

    fn found() -> MutexGuard<'static, Found> {
        FOUND.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For whoever ends the process without letting go of what it began.
    pub(in crate::cli) fn restore() {
        // A terminal that is gone needs nothing restored, nor does one that nobody changed.
        let _ = found().settings.as_ref().map(|settings| tcsetattr(stdin(), SetArg::TCSAFLUSH, settings));
    }

    /// While it lives, its holder may change the settings, and [`restore`] knows those from before.
    pub(in crate::cli) struct Kept;

    impl Kept {
        pub(in crate::cli) fn as_found() -> io::Result<Self> {
            let settings = tcgetattr(stdin())?;
            let mut found = found();
            found.settings.get_or_insert(settings);
            found.holders += 1;
            Ok(Self)
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            let mut found = found();
            found.holders -= 1;
            if found.holders == 0 {
                found.settings = None;
            }
        }
    }
}

/// Nothing changes them.
#[cfg(not(unix))]
mod system {
    use std::io;

    pub(in crate::cli) fn restore() {}

    pub(in crate::cli) struct Kept;

    impl Kept {
        pub(in crate::cli) fn as_found() -> io::Result<Self> {
            Ok(Self)
        }
    }
}
