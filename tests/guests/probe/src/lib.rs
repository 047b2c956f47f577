//! A plugin that misbehaves on demand, one function per misbehaviour, for the host's tests.

mod behaviour;

/// An interface nobody has, in a package the standard library imports from: its shape is the guest's to choose.
mod odd {
    wit_bindgen::generate!({
        inline: "package kosmo:probe;
            world odd { import wasi:filesystem/odd@0.9.0; }
            package wasi:filesystem@0.9.0 { interface odd { get-directories: func(); } }",
        world: "odd",
        generate_all,
    });
}

use kosmo_plugin::{About, Authentication, CredentialField, Function, Origin, Pagination, Parameter, Plugin, Rule};

/// Replaced byte for byte by the test that swaps revisions; code and description both carry it.
const REVISION: &str = "revision-one";

struct Probe;

impl Plugin for Probe {
    const ABOUT: About = About::new("probe", "Probe", "https://probe.test")
        .summary(REVISION)
        .guide("# Probe\n")
        .authentication(
            Authentication::Bearer("access_token"),
            &[
                CredentialField::secret("access_token", "Token", "Any."),
                CredentialField::setting("region", "Region", "Any."),
            ],
        )
        .origins(&[Origin { name: "files", urls: &["https://files.test"], description: "Files.", signed: true }])
        .whoami("revision");
    const FUNCTIONS: &'static [Function] = &[
        Function::read("revision", REVISION).runs(|_| Ok(format!("{{\"revision\":\"{REVISION}\"}}"))),
        Function::read("echo", "Gives back what it can see: arguments, settings, environment.")
            .parameters(&[
                Parameter::object("payload", "Anything."),
                Parameter::array("list", "Anything."),
                Parameter::string("text", "Anything."),
                Parameter::string("choice", "One of two.").choices(&["Read", "Unread"]),
            ])
            .runs(behaviour::echo),
        Function::read("json", "Gives back the text as its result.")
            .parameters(&[Parameter::string("text", "JSON.").required()])
            .runs(|invocation| Ok(invocation.text("text").unwrap_or_default().to_owned())),
        Function::read("fetch", "Sends what it is told, inside or outside its rules.")
            .parameters(FETCH)
            .requests(&[Rule::new(&["GET", "POST"], "/allowed/**"), Rule::get("/**").on("files")])
            .runs(behaviour::fetch),
        Function::read("swallow", "Sends what it is told and calls every failure `not found`.")
            .parameters(FETCH)
            .requests(&[Rule::get("/allowed/**")])
            .runs(behaviour::swallow),
        Function::write("remove", "Declares a write.")
            .requests(&[Rule::post("/allowed/guarded")])
            .runs(|_| Ok("{}".into())),
        Function::read("authorize", "Sets the headers that are not its own.")
            .requests(&[Rule::get("/allowed/**")])
            .runs(behaviour::authorize),
        Function::read("flood", "Sends one request after the other.")
            .requests(&[Rule::get("/allowed/**")])
            .runs(behaviour::flood),
        Function::read("spin", "Computes for ever.").runs(behaviour::spin),
        Function::read("sleep", "Waits for ever.").runs(behaviour::sleep),
        Function::read("hoard", "Takes all the memory there is.").runs(behaviour::hoard),
        Function::read("crash", "Panics.").runs(behaviour::crash),
        Function::read("recurse", "Overflows its stack.").runs(behaviour::recurse),
        Function::read("read_file", "Opens a file.").runs(behaviour::read_file),
        Function::read("odd_import", "Calls an interface nobody has.").runs(|_| {
            odd::wasi::filesystem::odd::get_directories();
            Ok("{}".into())
        }),
        Function::read("open_socket", "Opens a socket.").runs(behaviour::open_socket),
        Function::read("babble", "Answers with something that is not JSON.").runs(|_| Ok("{\"half\":".into())),
        Function::read("export", "Is ready the third time it is asked.").runs(behaviour::export),
        Function::read("numbers", "Counts in pages of three.")
            .parameters(&[
                Parameter::string("cursor", "Where to go on."),
                Parameter::string("broken", "How to misbehave."),
            ])
            .pagination(Pagination::Cursor { parameter: "cursor", items: "items", next: "cursor" })
            .runs(behaviour::numbers),
    ];
}

const FETCH: &[Parameter] = &[
    Parameter::string("url", "Appended to the account's URL, or a whole URL.").required(),
    Parameter::string("method", "GET if absent."),
    Parameter::string("body", "JSON text."),
];

kosmo_plugin::export!(Probe with_types_in kosmo_plugin::bindings);
