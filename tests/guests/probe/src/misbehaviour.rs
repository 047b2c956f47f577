//! A function for every misbehaviour, and a way for every wrong description.

use crate::{Probe, greedy, sly};
use kosmo_plugin::bindings::exports::kosmo::plugin::provider::Guest;
use kosmo_plugin::contract::{Description, Invocation, Json};
use kosmo_plugin::{Fault, Function, Request, Rule};
use misbehaviours::{Describing, Misbehaviour};
use std::hint::black_box;

const COUNT: usize = Misbehaviour::ALL.len();

/// All of them.
pub(crate) const FUNCTIONS: [Function; COUNT] = {
    let mut functions = [Function::read("", ""); COUNT];
    let mut index = 0;
    while index < COUNT {
        functions[index] = function(Misbehaviour::ALL[index]);
        index += 1;
    }
    functions
};

const RULES: &[Rule] = &[Rule::new(&["GET", "POST"], "/allowed/**")];

const fn function(misbehaviour: Misbehaviour) -> Function {
    let function = Function::read(misbehaviour.name(), misbehaviour.says());
    function.requests(RULES).runs(run(misbehaviour))
}

const fn run(misbehaviour: Misbehaviour) -> fn(&kosmo_plugin::Invocation) -> Result<String, Fault> {
    match misbehaviour {
        Misbehaviour::Spin => greedy::spin,
        Misbehaviour::SpinNapping => greedy::spin_napping,
        Misbehaviour::SpinTheHost => greedy::spin_the_host,
        Misbehaviour::Nap => greedy::nap,
        Misbehaviour::Sleep => greedy::sleep,
        Misbehaviour::Hoard => greedy::hoard,
        Misbehaviour::HoardHandles => greedy::hoard_handles,
        Misbehaviour::HoardPollables => greedy::hoard_pollables,
        Misbehaviour::LongHeader => greedy::long_header,
        Misbehaviour::ManyHeaders => greedy::many_headers,
        Misbehaviour::HandOver => greedy::hand_over,
        Misbehaviour::AnswerHugely => greedy::answer_hugely,
        Misbehaviour::AnswerDeeply => greedy::answer_deeply,
        Misbehaviour::Babble => |_| Ok("{\"half\":".into()),
        Misbehaviour::Gamble => greedy::gamble,
        Misbehaviour::Flood => greedy::flood,
        Misbehaviour::SendHugely => greedy::send_hugely,
        Misbehaviour::FetchHugely => greedy::fetch_hugely,
        Misbehaviour::FetchNothing => greedy::fetch_nothing,
        Misbehaviour::FetchSlowly => greedy::fetch_slowly,
        Misbehaviour::SendForever => greedy::send_forever,
        Misbehaviour::Chatter => greedy::chatter,
        Misbehaviour::Crash => greedy::crash,
        Misbehaviour::Recurse => greedy::recurse,
        Misbehaviour::Exit => greedy::exit,
        Misbehaviour::ReadFile => sly::read_file,
        Misbehaviour::OpenSocket => sly::open_socket,
        Misbehaviour::OddImport => sly::odd_import,
        Misbehaviour::SwallowDenial => sly::swallow_denial,
        Misbehaviour::HideDenial => sly::hide_denial,
        Misbehaviour::CrashDenied => sly::crash_denied,
        Misbehaviour::FollowRedirect => sly::follow_redirect,
        Misbehaviour::AbsolutePath => sly::absolute_path,
        Misbehaviour::FakeUser => sly::fake_user,
        Misbehaviour::OtherHost => sly::other_host,
        Misbehaviour::OtherPort => sly::other_port,
        Misbehaviour::Climb => sly::climb,
        Misbehaviour::OtherMethod => sly::other_method,
        Misbehaviour::Circumvent => sly::circumvent,
        Misbehaviour::SmuggleLength => sly::smuggle_length,
        Misbehaviour::SmuggleHeader => sly::smuggle_header,
        Misbehaviour::Authorize => sly::authorize,
        Misbehaviour::EchoSecret => sly::echo_secret,
        Misbehaviour::PeekAround => sly::peek_around,
        Misbehaviour::Remember => sly::remember,
    }
}

/// Its last byte, a [`Describing::letter`], is replaced by the test of descriptions.
const MANNER: &str = "manner-of-describing:A";

/// The probe as it is exported: what it says of itself depends on its bytes.
pub(crate) struct Exported;

impl Guest for Exported {
    fn describe() -> Description {
        let honest = <Probe as Guest>::describe();
        let letter = black_box(MANNER).bytes().last();
        let manner = Describing::ALL.iter().find(|manner| Some(manner.letter()) == letter);
        describe(manner.copied().unwrap_or(Describing::Honestly), honest)
    }

    fn invoke(invocation: Invocation) -> Result<Json, Fault> {
        <Probe as Guest>::invoke(invocation)
    }
}

#[expect(clippy::panic, reason = "it is one of the ways")]
fn describe(manner: Describing, honest: Description) -> Description {
    match manner {
        Describing::Honestly => honest,
        Describing::Crashing => panic!("on purpose"),
        Describing::Spinning => loop {
            black_box(0);
        },
        Describing::Sleeping => {
            std::thread::sleep(std::time::Duration::from_secs(3600));
            honest
        }
        Describing::Hoarding => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1u8; 1 << 20]));
            }
        }
        Describing::Hugely => Description { guide: "x".repeat(20 << 20), ..honest },
        Describing::AsAnother => Description { name: "dialpad".into(), ..honest },
        Describing::WithPatterns => with_patterns(honest),
        Describing::Online => {
            let found = Request::get("https://probe.test/allowed/a").send();
            Description { summary: format!("{:?}", found.is_ok()), ..honest }
        }
    }
}

fn with_patterns(mut honest: Description) -> Description {
    let rules = honest.functions.iter_mut().flat_map(|function| &mut function.requests);
    rules.for_each(|rule| rule.path = "/**/*".into());
    honest
}
