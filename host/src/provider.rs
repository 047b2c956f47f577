//! A loaded plugin, and the whole story of one invocation: [`Provider::invoke`].

use crate::admission::Admission;
use crate::audit::Trail;
use crate::bindings::{PluginPre, contract};
use crate::description::{Description, Function, Operation};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::fault::{Code, Fault};
use crate::invocation::{Invocation, Surroundings};
use crate::journal::{Errand, Write};
use crate::limits::Limits;
use crate::nearest::did_you_mean;
use crate::outbound::{Connected, Doubt, Gate, Outbound};
use crate::resume::Ticket;
use crate::sandbox::Sandbox;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::OnceCell;
use tokio::time::timeout_at;

/// One revision of a plugin under the name scripts use. Code and description change together, by replacing it whole.
pub struct Provider {
    digest: Arc<str>,
    bytes: Arc<[u8]>,
    description: Arc<Description>,
    plugin: OnceCell<PluginPre<Sandbox>>,
    accounts: Mutex<HashMap<String, Arc<Connected>>>,
}

impl Provider {
    /// Loads a component that must describe itself as `name`.
    ///
    /// # Errors
    /// `unloadable`, saying what is wrong with the file.
    pub async fn load(engine: &Arc<Engine>, name: &str, bytes: Vec<u8>) -> Result<Self, Fault> {
        let (digest, bytes) = (Arc::<str>::from(hex(&Sha256::digest(&bytes))), Arc::<[u8]>::from(bytes));
        let description = engine.describe(&digest, &bytes).await?;
        if description.name != name {
            let message = format!("The file is called {name}, but describes itself as `{}`.", description.name);
            return Err(Fault::new(Code::Unloadable, message));
        }
        let description = Arc::new(description);
        Ok(Self { digest, bytes, description, plugin: OnceCell::new(), accounts: Mutex::default() })
    }

    /// `dialpad`
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// Everything it says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Runs one function once, in a sandbox of its own, and gives its result as JSON text.
    pub(crate) async fn invoke(
        &self,
        host: &Arc<Surroundings>,
        asked: Invocation,
        trail: &Arc<Trail>,
    ) -> Result<String, Fault> {
        self.run_errand(host, asked, Errand::Do, trail).await.0
    }

    /// As [`Provider::invoke`], and whether it may have done something although it failed.
    pub(crate) async fn run_errand(
        &self,
        host: &Arc<Surroundings>,
        asked: Invocation,
        errand: Errand,
        trail: &Arc<Trail>,
    ) -> (Result<String, Fault>, bool) {
        let doubt = Doubt::default();
        let Some(interrupt) = asked.interrupt.clone() else {
            let outcome = self.story(host, asked, errand, trail, &doubt).await;
            return (outcome, doubt.is_any());
        };
        let path = (self.name().to_owned(), asked.function.clone());
        let write = self.write(host, &asked, &errand);
        let story = self.story(host, asked, errand, trail, &doubt);
        let outcome = match write {
            Some(write) => interrupt.bounds_write(write, &doubt, story).await,
            None => interrupt.bounds_read(story).await,
        };
        let whose = |fault: Fault| if fault.provider.is_none() { fault.of(&path.0, &path.1) } else { fault };
        (outcome.map_err(whose), doubt.is_any())
    }

    /// What is asked for, if it writes.
    fn write(&self, host: &Surroundings, asked: &Invocation, errand: &Errand) -> Option<Write> {
        let function = self.description.function(&asked.function)?;
        let writes = errand.operation(function.operation) == Operation::Write;
        let write = writes.then(|| Write::new(self.name(), asked.account(), &function.name, &asked.arguments))?;
        Some(Write { arguments: host.secrets.scrubbed(write.arguments.clone()), ..write })
    }

    async fn story(
        &self,
        host: &Arc<Surroundings>,
        asked: Invocation,
        errand: Errand,
        trail: &Arc<Trail>,
        doubt: &Doubt,
    ) -> Result<String, Fault> {
        let function = self.function(&asked.function)?;
        trail.found(&self.digest, function);
        let told = |fault: Fault| host.secrets.scrubbed_fault(fault).of(self.name(), &function.name);
        let connected = self.account(host, asked.account()).map_err(told)?;
        let admission = Admission::new(host, &self.description, function, connected, asked, errand).map_err(told)?;
        trail.took(admission.arguments());
        let question = admission.leave(trail).await.map_err(told)?;

        let path = format!("{}.{}", self.name(), function.name);
        self.ready(host, &path, admission.script_ends()).await.map_err(told)?;
        let (gate, arguments) = admission.gate(trail, doubt, question);
        let deadline = gate.deadline.clone();
        let given = deadline.left().as_secs_f64().ceil();
        let late = || Fault::new(Code::Timeout, format!("{path} did not finish within {given} s."));
        let outcome = deadline.enforce(self.run(host, gate, arguments)).await.ok_or_else(late).flatten();
        outcome.map(|json| host.secrets.scrubbed(json)).map_err(|fault| told(doubt.tell(fault)))
    }

    /// The component ready to run: compiled at first use, which takes seconds for one never seen before.
    pub(crate) async fn plugin(&self, engine: &Arc<Engine>) -> Result<&PluginPre<Sandbox>, Fault> {
        self.plugin.get_or_try_init(|| engine.load(&self.digest, &self.bytes)).await
    }

    /// Compiles before the invocation's own time begins to run; only the script's goes on.
    async fn ready(&self, host: &Surroundings, path: &str, script: Option<Instant>) -> Result<(), Fault> {
        let ready = self.plugin(&host.engine);
        let Some(script) = script else { return ready.await.map(drop) };
        let late =
            |_| Fault::new(Code::Timeout, format!("{path} was still being compiled when the script's time was up."));
        timeout_at(script.into(), ready).await.map_err(late).flatten().map(drop)
    }

    fn function(&self, name: &str) -> Result<&Function, Fault> {
        self.description.function(name).ok_or_else(|| {
            let suggestion = did_you_mean(name, self.description.functions.iter().map(|known| known.name.as_str()));
            let message = format!("Unknown function: app.integrations.{}.{name}.{suggestion}", self.name());
            Fault::new(Code::Unknown, message).of(self.name(), name)
        })
    }

    /// The account, made ready on first use and kept with its connections as long as this revision. What was granted for
    /// it is checked then, too.
    pub(crate) fn account(&self, host: &Surroundings, name: &str) -> Result<Arc<Connected>, Fault> {
        let mut ready = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = ready.get(name) {
            return Ok(Arc::clone(account));
        }
        let policies = host.config.policies();
        host.config.check_names(&self.description)?;
        if ready.is_empty() {
            host.config.teach_provider(&self.description, &host.secrets);
        }
        let account = host.config.account(&self.description, &self.digest, name)?;
        policies.granted(self.name()).check_account(name)?;
        let queue = host.queues.of(self.name(), name, &self.description.rate_groups);
        let account = Arc::new(Connected::new(account, queue, &host.transport, &host.limits));
        ready.insert(name.into(), Arc::clone(&account));
        Ok(account)
    }

    async fn run(&self, host: &Surroundings, gate: Gate, arguments: Map<String, Value>) -> Result<String, Fault> {
        let account = &gate.connected.account;
        let arguments = Value::Object(arguments).to_string();
        let place = account.base().as_str();
        let ticket = Ticket::new(&[&self.digest, account.name(), place, &gate.function, &arguments]);
        let invocation = contract::Invocation {
            function: gate.function.clone(),
            account: account.name().into(),
            base_url: account.base().as_str().into(),
            settings: account.settings().to_vec(),
            time_left: gate.deadline.left().as_millis().try_into().unwrap_or(u32::MAX),
            resume: host.resumes.get(&ticket),
            lost: gate.errand.lost(),
            arguments,
        };
        let _turn = host.engine.turn(self.name()).await?;
        let (limits, rehearsed) = (gate.limits, gate.rehearsal.is_some());
        let outcome = self.enter(host, Outbound::new(gate), &limits, &invocation).await;
        if !rehearsed {
            host.resumes.settle(&ticket, &outcome, invocation.resume.is_some());
        }
        let path = format!("{}.{}", self.name(), invocation.function);
        outcome.map_err(|failure| failure.into_fault(&self.description.title, &path))
    }

    /// The sandbox lives in here and nowhere else: whatever happened, it is dropped on the way out.
    async fn enter(
        &self,
        host: &Surroundings,
        outbound: Outbound,
        limits: &Limits,
        invocation: &contract::Invocation,
    ) -> Result<String, Failure> {
        let plugin = self.plugin(&host.engine).await.map_err(Failure::Host)?;
        let mut store = Sandbox::store(host.engine.wasmtime().map_err(Failure::Host)?, limits, outbound);
        let cpu = store.data().cpu();
        let running = cpu.counting(async {
            let instance = plugin.instantiate_async(&mut store).await?;
            instance.kosmo_plugin_provider().call_invoke(&mut store, invocation).await
        });
        let answer = running.await;
        let (cause, held_back) = (store.data().outbound().cause(), store.data().outbound().held_back());
        match (answer, cause) {
            // Whatever the guest made of it, even a success.
            (_, Some(denial)) if denial.is_denial() => Err(Failure::Host(denial)),
            (_, _) if let Some(result) = held_back => Ok(result),
            (Ok(Ok(json)), _) => Ok(json),
            (Ok(Err(fault)), cause) => Err(Failure::plugin(fault, cause)),
            (Err(error), _) => Err(Failure::Host(store.data().ended_by(&error))),
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({} {})", self.name(), &self.digest[..12])
    }
}

/// Two lower case digits a byte, as digests are written everywhere.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
