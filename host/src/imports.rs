//! What a guest may import, and what happens when it does.
//!
//! HTTP, I/O, clocks and randomness are real. The command line is empty. A Rust guest's standard library imports the
//! filesystem and sockets whether it uses them or not, so these link and end the invocation when called. Everything
//! else is refused when the plugin is loaded.

use crate::fault::{Code, Fault};
use crate::sandbox::Sandbox;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::{cli, io, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};

/// The contract this host speaks. In 0.x, another minor version is another contract.
const CONTRACT: &str = "kosmo:plugin/provider@0.1.";

/// Packages of which every function links and ends the invocation when called.
const DENYING: [&str; 2] = ["wasi:filesystem/", "wasi:sockets/"];

/// The one interface among them that answers, and always that there is nothing.
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.";

/// Packages that are linked for real; the contract's own are only types.
const REAL: [&str; 6] = ["kosmo:plugin/types@", "wasi:cli/", "wasi:clocks/", "wasi:http/", "wasi:io/", "wasi:random/"];

/// A guest called something it may never have.
#[derive(Debug, thiserror::Error)]
#[error("it called {interface}#{function}, and plugins have no files and no sockets, only wasi:http")]
pub(crate) struct DeniedImport {
    interface: String,
    function: String,
}

impl From<&DeniedImport> for Fault {
    fn from(denied: &DeniedImport) -> Self {
        Self::new(Code::Denied, format!("The plugin was stopped: {denied}."))
    }
}

/// Fails closed unless the component exports the contract in a version this host speaks.
pub(crate) fn check_contract(engine: &wasmtime::Engine, component: &Component) -> Result<(), Fault> {
    let ty = component.component_type();
    let exported = ty.exports(engine).find_map(|(name, _)| name.starts_with("kosmo:plugin/provider").then_some(name));
    match exported {
        Some(name) if name.starts_with(CONTRACT) => Ok(()),
        Some(name) => Err(Fault::new(
            Code::Unloadable,
            format!("The plugin speaks {name}, this kosmo speaks {CONTRACT}x; use a build for this contract."),
        )),
        None => Err(Fault::new(
            Code::Unloadable,
            "The component is not a kosmo plugin: it does not export kosmo:plugin/provider.",
        )),
    }
}

/// A linker for this component, with nothing in it that its imports do not name.
pub(crate) fn link(engine: &wasmtime::Engine, component: &Component) -> Result<Linker<Sandbox>, Fault> {
    let mut linker = Linker::new(engine);
    link_real(&mut linker).map_err(|error| Fault::new(Code::Internal, format!("linking WASI: {error:#}")))?;
    let ty = component.component_type();
    for (name, import) in ty.imports(engine) {
        match import.ty {
            ComponentItem::ComponentInstance(instance) if starts_with_any(name, &DENYING) => {
                let functions = instance.exports(engine).map(|(name, item)| (name, item.ty));
                deny(&mut linker, name, functions)
                    .map_err(|error| Fault::new(Code::Internal, format!("linking {name}: {error:#}")))?;
            }
            ComponentItem::ComponentInstance(_) | ComponentItem::Type(_) if starts_with_any(name, &REAL) => {}
            _ => {
                let message = format!("The plugin imports {name}, which no plugin gets; it may import wasi:http.");
                return Err(Fault::new(Code::Unloadable, message));
            }
        }
    }
    Ok(linker)
}

fn starts_with_any(name: &str, packages: &[&str]) -> bool {
    packages.iter().any(|package| name.starts_with(package))
}

fn link_real(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, Sandbox::cli)?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, Sandbox::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, Sandbox::random)
}

fn deny<'a>(
    linker: &mut Linker<Sandbox>,
    interface: &str,
    items: impl Iterator<Item = (&'a str, ComponentItem)>,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(interface)?;
    for (name, item) in items {
        match item {
            ComponentItem::ComponentFunc(_) if interface.starts_with(PREOPENS) => no_directories(&mut instance, name)?,
            ComponentItem::ComponentFunc(_) => deny_function(&mut instance, interface, name)?,
            ComponentItem::Resource(_) => instance.resource(name, resource_type(name), |_, _| Ok(()))?,
            _ => {}
        }
    }
    Ok(())
}

/// These interfaces name streams and pollables too, which must be the same types as the real ones; their own
/// resources are never made.
fn resource_type(name: &str) -> ResourceType {
    match name {
        "input-stream" => ResourceType::host::<io::streams::InputStream>(),
        "output-stream" => ResourceType::host::<io::streams::OutputStream>(),
        "error" => ResourceType::host::<io::error::Error>(),
        "pollable" => ResourceType::host::<io::poll::Pollable>(),
        _ => ResourceType::host::<()>(),
    }
}

/// The standard library asks for its preopened directories at start; there are none.
fn no_directories(instance: &mut LinkerInstance<'_, Sandbox>, name: &str) -> wasmtime::Result<()> {
    instance.func_new(name, |_, _, _, results| {
        // How many results there are is what the guest says of the interface.
        results.fill(Val::List(Vec::new()));
        Ok(())
    })
}

fn deny_function(instance: &mut LinkerInstance<'_, Sandbox>, interface: &str, name: &str) -> wasmtime::Result<()> {
    let (interface, function) = (interface.to_owned(), name.to_owned());
    instance.func_new(name, move |_, _, _, _| {
        Err(DeniedImport { interface: interface.clone(), function: function.clone() }.into())
    })
}
