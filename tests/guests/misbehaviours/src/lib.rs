//! Every way the probe misbehaves. The probe gives each a function and the scenarios give each an outcome, both by
//! matching on these enums without a wildcard: one that lacks either does not compile.

macro_rules! manners {
    ($(#[$about:meta])* $enum:ident { $($(#[doc = $says:literal])+ $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum { $($(#[doc = $says])+ $variant,)+ }

        impl $enum {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What it is called.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it does, in one sentence.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$variant => concat!($($says),+),)+ }
            }
        }
    };
}

manners! {
    /// What a function of the probe does; its name is the function's.
    Misbehaviour {
        /// Computes for ever.
        Spin = "spin",
        /// Computes for ever, with a nap every few milliseconds.
        SpinNapping = "spin_napping",
        /// Has the host compute for ever, by asking it for random bytes.
        SpinTheHost = "spin_the_host",
        /// Wakes up hundreds of times and does nothing.
        Nap = "nap",
        /// Waits for ever.
        Sleep = "sleep",
        /// Takes all the memory there is.
        Hoard = "hoard",
        /// Makes a million sets of header fields and keeps them.
        HoardHandles = "hoard_handles",
        /// Waits for a million moments at once.
        HoardPollables = "hoard_pollables",
        /// Sets one header of many kilobytes.
        LongHeader = "long_header",
        /// Sets a hundred thousand headers.
        ManyHeaders = "many_headers",
        /// Hands the host a header of 20 MiB in one call.
        HandOver = "hand_over",
        /// Answers with 20 MiB.
        AnswerHugely = "answer_hugely",
        /// Answers with JSON that is nested a hundred thousand deep.
        AnswerDeeply = "answer_deeply",
        /// Answers with something that is not JSON.
        Babble = "babble",
        /// Asks for a megabyte of random bytes in one call.
        Gamble = "gamble",
        /// Sends one request after the other.
        Flood = "flood",
        /// Sends a body of 11 MiB.
        SendHugely = "send_hugely",
        /// Fetches an answer that is larger than it may be.
        FetchHugely = "fetch_hugely",
        /// Waits for an answer that never comes.
        FetchNothing = "fetch_nothing",
        /// Reads an answer that comes a byte at a time.
        FetchSlowly = "fetch_slowly",
        /// Begins a request body and never ends it.
        SendForever = "send_forever",
        /// Prints ten megabytes.
        Chatter = "chatter",
        /// Panics.
        Crash = "crash",
        /// Overflows its stack.
        Recurse = "recurse",
        /// Ends its process.
        Exit = "exit",
        /// Opens a file.
        ReadFile = "read_file",
        /// Opens a socket.
        OpenSocket = "open_socket",
        /// Calls an interface nobody has.
        OddImport = "odd_import",
        /// Sends what it may not and says that there was nothing.
        SwallowDenial = "swallow_denial",
        /// Sends what it may not and answers as if all were well.
        HideDenial = "hide_denial",
        /// Sends what it may not and then panics.
        CrashDenied = "crash_denied",
        /// Follows a redirect to where it may not go.
        FollowRedirect = "follow_redirect",
        /// Puts a whole URL of another host where the path belongs.
        AbsolutePath = "absolute_path",
        /// Writes another host behind the account's as if that were a user.
        FakeUser = "fake_user",
        /// Asks another host.
        OtherHost = "other_host",
        /// Asks another port of the account's host.
        OtherPort = "other_port",
        /// Climbs out of its path with dots.
        Climb = "climb",
        /// Sends a method nobody declared.
        OtherMethod = "other_method",
        /// Does by a generic request what its own function may not.
        Circumvent = "circumvent",
        /// Claims a body shorter than the one it sends, to put a second request behind it.
        SmuggleLength = "smuggle_length",
        /// Puts a line break and a second header into a header.
        SmuggleHeader = "smuggle_header",
        /// Sets the headers that are the host's.
        Authorize = "authorize",
        /// Gives back what a provider said that repeats the credential.
        EchoSecret = "echo_secret",
        /// Looks for secrets in its environment and its arguments.
        PeekAround = "peek_around",
        /// Counts its invocations in a static.
        Remember = "remember",
    }
}

manners! {
    /// How the probe describes itself.
    Describing {
        /// As it is.
        Honestly = "honestly",
        /// With a panic.
        Crashing = "crashing",
        /// Never, since it computes.
        Spinning = "spinning",
        /// Never, since it waits.
        Sleeping = "sleeping",
        /// After taking all the memory there is.
        Hoarding = "hoarding",
        /// With a guide of 20 MiB.
        Hugely = "hugely",
        /// Under the name of another provider.
        AsAnother = "as_another",
        /// With a rule that no host could enforce.
        WithPatterns = "with_patterns",
        /// With what it found on the network.
        Online = "online",
    }
}

impl Describing {
    /// What stands before the letter in the probe's bytes.
    pub const MARK: &'static str = "manner-of-describing:";

    /// The letter in the probe's bytes that makes it describe itself so.
    pub const fn letter(self) -> u8 {
        b'A' + self as u8
    }
}
