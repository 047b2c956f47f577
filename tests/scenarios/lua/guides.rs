//! Documentation through Lua: every page is there under every name, and every block on it runs as it is printed.

use super::{Lab, script};
use kosmo::Function;

const PROVIDERS: [&str; 2] = ["dialpad", "ringcentral"];

/// The code between "```lua" and "```".
fn lua_blocks(page: &str) -> Vec<&str> {
    page.split("```lua\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn read(lab: &Lab, page: &str) -> String {
    let text = lab.value(&format!("return docs.read({page:?})"));
    text.as_str().expect("a page is text").to_owned()
}

/// Runs every block in a session of its own, as a reader would paste it.
#[track_caller]
fn check_blocks(lab: &Lab, name: &str, page: &str) {
    let blocks = lua_blocks(page);
    assert!(!blocks.is_empty(), "{name} has examples");
    for block in blocks {
        // A host of its own: one after the other, the examples would exceed what a provider allows in a minute.
        let outcome = lab.scenario.host().session().build().run_blocking(script(block));
        assert!(outcome.success, "{name}:\n{block}\n{:?}", outcome.error);
        let refused: Vec<_> =
            lab.scenario.simulator.take_requests().into_iter().filter_map(|sent| sent.refused).collect();
        assert_eq!(refused, Vec::<String>::new(), "{name}:\n{block}");
    }
}

#[test]
fn every_block_of_every_guide_runs_and_every_function_is_in_one() {
    let lab = Lab::new();
    for provider in PROVIDERS {
        let page = read(&lab, provider);
        check_blocks(&lab, provider, &page);
        let code = lua_blocks(&page).concat();
        for function in functions(&lab, provider) {
            let name = &function.name;
            let used = [format!(".{name}("), format!(".{name},")].iter().any(|use_| code.contains(use_));
            assert!(used, "{provider}'s guide has no example of {name}");
        }
    }
}

#[test]
fn the_pages_about_no_provider_have_examples_that_run() {
    let lab = Lab::new();
    for page in ["overview", "errors"] {
        check_blocks(&lab, page, &read(&lab, page));
    }
}

fn functions(lab: &Lab, provider: &str) -> Vec<Function> {
    lab.host.provider(provider).expect("a provider").description().functions.clone()
}

#[test]
fn every_functions_page_is_complete_and_its_blocks_run() {
    for provider in PROVIDERS {
        for function in functions(&Lab::new(), provider) {
            // A world of its own, since an example may delete what another one reads.
            let lab = Lab::new();
            let name = format!("{provider}.{}", function.name);
            let page = read(&lab, &name);
            assert!(page.starts_with(&format!("# {name}\n")) && page.contains(&function.summary), "{page}");
            for parameter in &function.parameters {
                assert!(page.contains(&format!("| `{}` |", parameter.name)), "{name} explains {}", parameter.name);
            }
            check_blocks(&lab, &name, &page);
        }
    }
}

#[test]
fn a_page_goes_by_every_name_and_lua_read_doc_gives_the_same() {
    let lab = Lab::new();
    let code = "local function same(names)
          for _, name in names do
            assert(docs.read(name) == docs.read(names[1]) and lua_read_doc(name) == docs.read(names[1]), name)
          end
        end
        same({'ringcentral', 'integrations.ringcentral', 'app.integrations.ringcentral', ' RingCentral '})
        same({'ringcentral.list_messages', 'ringcentral.ringcentral_list_messages', 'integrations.ringcentral.list_messages',
          'app.integrations.ringcentral.list_messages', 'app.integrations.ringcentral.work.list_messages'})
        print(docs.read('ringcentral.list_mesages')) print(docs.read('dialpd')) print((docs.search('send text message')))";
    let printed = lab.run(code);
    assert!(printed.success, "{:?}", printed.error);
    let lines: Vec<_> = printed.output.lines().collect();
    assert_eq!(
        lines[0],
        "No integration docs found for 'ringcentral.list_mesages'. Did you mean: ringcentral.list_messages"
    );
    assert_eq!(lines[1], "No integration docs found for 'dialpd'. Did you mean: dialpad");
    assert!(lines[2..].iter().any(|line| line.starts_with("dialpad.send_sms - ")), "{}", printed.output);
    assert_eq!(lab.requests(), Vec::<String>::new(), "reading sends nothing");
}

#[test]
fn reading_needs_no_account() {
    let lab = Lab::new();
    lab.scenario.write("config.toml", "");
    let host = lab.scenario.host();
    let outcome =
        host.session().build().run_blocking(script("print(docs.list()) print(docs.read('dialpad.get_call'))"));
    assert!(outcome.success, "{:?}", outcome.error);
    assert!(outcome.output.contains("Providers: dialpad, probe, ringcentral"), "{}", outcome.output);
    assert!(
        outcome.output.contains(
            "missing required credentials for account 'default'. Configure it in settings first. Run `kosmo \
             integrations:configure dialpad`, or set `access_token`"
        ),
        "{}",
        outcome.output
    );
}
