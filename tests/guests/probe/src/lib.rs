//! A plugin that misbehaves on demand, one function per misbehaviour, for the host's tests.

mod behaviour;
mod greedy;
mod misbehaviour;
mod requests;
mod sly;

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

use kosmo_plugin::{
    About, Authentication, CredentialField, Function, Origin, Pagination, Parameter, Plugin, RateGroup, Rule,
};
use misbehaviour::Exported;

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
        .rate_groups(&[RateGroup::new("brisk", 10, 1)])
        .never(&[Rule::get("/allowed/never")])
        .whoami("revision");
    const FUNCTIONS: &'static [Function] = &FUNCTIONS;
}

/// What it does when asked nicely.
const BEHAVIOURS: &[Function] = &[
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
    Function::read("brisk", "Sends what it is told, ten times in a second.")
        .parameters(FETCH)
        .requests(&[Rule::get("/allowed/**")])
        .rate_group("brisk")
        .runs(behaviour::fetch),
    Function::write("remove", "Declares a write.")
        .requests(&[Rule::post("/allowed/guarded")])
        .runs(|_| Ok("{}".into())),
    Function::read("hold", "Asks again and again and lets go of no answer.")
        .parameters(&[Parameter::string("url", "Appended to the account's URL.").required()])
        .requests(&[Rule::get("/allowed/**")])
        .runs(requests::hold),
    Function::read("trail", "Sends a body that ends in a trailer.")
        .requests(&[Rule::post("/allowed/**")])
        .runs(requests::trail),
    Function::read("export", "Is ready the third time it is asked.").runs(behaviour::export),
    Function::read("numbers", "Counts in pages of three.")
        .parameters(&[Parameter::string("cursor", "Where to go on."), Parameter::string("broken", "How to misbehave.")])
        .pagination(Pagination::Cursor { parameter: "cursor", items: "items", next: "cursor" })
        .runs(behaviour::numbers),
];

/// Those, and every misbehaviour.
const FUNCTIONS: [Function; BEHAVIOURS.len() + misbehaviour::FUNCTIONS.len()] = {
    let mut functions = [BEHAVIOURS[0]; BEHAVIOURS.len() + misbehaviour::FUNCTIONS.len()];
    let mut index = 0;
    while index < functions.len() {
        functions[index] = match index < BEHAVIOURS.len() {
            true => BEHAVIOURS[index],
            false => misbehaviour::FUNCTIONS[index - BEHAVIOURS.len()],
        };
        index += 1;
    }
    functions
};

const FETCH: &[Parameter] = &[
    Parameter::string("url", "Appended to the account's URL, or a whole URL.").required(),
    Parameter::string("method", "GET if absent."),
    Parameter::string("body", "JSON text."),
];

kosmo_plugin::export!(Exported with_types_in kosmo_plugin::bindings);
