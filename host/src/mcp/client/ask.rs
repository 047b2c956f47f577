//! Asking a server: what has to be so before, and what becomes of the answer.

use super::connection::{Connection, Patience};
use super::leave::{Asks, check_scope};
use super::tools::{self, Tool};
use super::write::{self, Known};
use super::{McpInvocation, McpRequest, Servers, content, flags, schema};
use crate::audit::Trail;
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::mcp::config::Server;
use crate::outbound::Doubt;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

impl Servers {
    /// Asks a server for something. All checks are in here. Gives JSON text.
    ///
    /// # Errors
    /// A [`Fault`] that says who, what and the cure.
    pub async fn invoke(&self, invocation: McpInvocation) -> Result<String, Fault> {
        if invocation.request == McpRequest::AllTools {
            return Ok(Value::Array(self.all_tools(&invocation).await).to_string());
        }
        self.invoke_one(invocation).await
    }

    async fn invoke_one(&self, invocation: McpInvocation) -> Result<String, Fault> {
        let trail = Trail::begin(&self.surroundings.audit, &invocation.audited());
        let _waiting = trail.waiting();
        let (server, tool) = (invocation.server.clone(), invocation.request.name().to_owned());
        let outcome = self.unless_interrupted(invocation, &trail).await;
        let secrets = &self.surroundings.secrets;
        let outcome = match outcome {
            Ok(value) => Ok(secrets.scrubbed(value.to_string())),
            Err(fault) => Err(secrets.scrubbed_fault(fault).at(&server, &tool)),
        };
        trail.end(&outcome);
        outcome
    }

    async fn unless_interrupted(&self, asked: McpInvocation, trail: &Arc<Trail>) -> Result<Value, Fault> {
        let doubt = Doubt::default();
        let Some(interrupt) = asked.interrupt.clone() else { return self.answer(asked, trail, &doubt).await };
        interrupt.concerns(trail.run());
        interrupt.check()?;
        interrupt.bounds(&doubt, self.answer(asked, trail, &doubt)).await
    }

    async fn answer(&self, asked: McpInvocation, trail: &Arc<Trail>, doubt: &Doubt) -> Result<Value, Fault> {
        check_scope(&asked)?;
        let server = self.find(&asked.server)?;
        self.check_use(server, &asked)?;
        let end = asked.end(server);
        end.enforce(self.answer_in_time(server, asked, trail, doubt)).await.unwrap_or_else(|| {
            let message = format!("MCP server '{}' was given up: the time for it is up", server.name);
            Err(Fault::new(Code::Timeout, message))
        })
    }

    async fn answer_in_time(
        &self,
        server: &Server,
        asked: McpInvocation,
        trail: &Arc<Trail>,
        doubt: &Doubt,
    ) -> Result<Value, Fault> {
        let patience = asked.patience(server);
        let name = &server.name;
        match asked.request {
            McpRequest::Call { .. } => self.call(server, asked, patience, trail, doubt).await,
            McpRequest::Schema { ref tool } => {
                self.check_reading(server, &asked, trail).await?;
                let tools = self.connection(server, patience).await?.tools(patience).await?;
                Ok(tools.row(name, tools.find(name, tool)?))
            }
            _ => {
                self.check_reading(server, &asked, trail).await?;
                let connection = self.connection(server, patience).await?;
                read(&connection, name, asked.request, patience).await
            }
        }
    }

    async fn call(
        &self,
        server: &Server,
        mut asked: McpInvocation,
        patience: Patience,
        trail: &Arc<Trail>,
        doubt: &Doubt,
    ) -> Result<Value, Fault> {
        let force = asked.force;
        let McpRequest::Call { tool: name, arguments, flags } = &mut asked.request else { return Ok(Value::Null) };
        let (mut arguments, flags) = (std::mem::take(arguments), std::mem::take(flags));
        self.check_open(server, name, force, trail)?;
        let connection = self.connection(server, patience).await?;
        let tools = connection.tools(patience).await?;
        let tool = tools.find(&server.name, name).map_err(|fault| self.discreet(server, name, force, fault))?;
        let position = asked.position(tool.operation).await;
        let (path, schema) = (format!("{}.{}", server.name, tool.name), tool.schema());
        arguments.extend(flags::read(&path, &schema, &flags)?);
        let arguments = schema::check(&path, &schema, arguments)?;
        trail.known(&server.fingerprint, &tool.name, tool.operation);
        trail.took(&arguments);
        let write = write::named(&server.name, &tool.name, &arguments);
        let entry = match write::known(position, write.clone()).await? {
            Known::Done(value) => return Ok(value),
            Known::ToDo(entry) => entry,
        };
        let asks = Asks { tool: &tool.name, operation: tool.operation, arguments: &arguments };
        let since = Instant::now();
        self.check(server, asks, &asked, trail).await?;
        // The time that people take to answer counts for nobody.
        asked.deadline = asked.deadline.map(|at| if asked.approvals.is_some() { at + since.elapsed() } else { at });
        if asked.rehearse.covers(tool.operation) {
            return Ok(rehearsed(&path, tool, arguments));
        }
        let patience = asked.patience(server);
        let called = connection.run(tool, arguments, patience);
        match tool.operation {
            Operation::Write => self.send(write, entry, doubt, asked.interrupt.as_ref(), called).await,
            Operation::Read => content::of_tool(called.await?),
        }
    }

    /// Side by side.
    async fn all_tools(&self, asked: &McpInvocation) -> Vec<Value> {
        let usable = |server: &&Server| !asked.is_scoped && server.enabled && self.policy().trust(server).is_given();
        let servers = self.config().servers.values().filter(usable);
        let tools = servers.map(|server| async move {
            let request = McpInvocation { server: server.name.clone(), request: McpRequest::Tools, ..asked.clone() };
            match self.invoke_one(request).await.map(|text| serde_json::from_str(&text)) {
                Ok(Ok(Value::Array(rows))) => rows,
                Ok(_) => Vec::new(),
                Err(fault) => vec![json!({"server": server.name, "error": fault.message})],
            }
        });
        futures_util::future::join_all(tools).await.into_iter().flatten().collect()
    }
}

/// Everything that only reads.
async fn read(connection: &Connection, name: &str, request: McpRequest, patience: Patience) -> Result<Value, Fault> {
    match request {
        McpRequest::Tools => Ok(connection.tools(patience).await?.rows(name).into()),
        McpRequest::Names => Ok(connection.tools(patience).await?.names().into()),
        McpRequest::Resources => Ok(connection.list("resources/list", "resources", patience).await?.into()),
        McpRequest::Templates => {
            Ok(connection.list("resources/templates/list", "resourceTemplates", patience).await?.into())
        }
        McpRequest::ReadResource { uri } => {
            Ok(content::of_resource(connection.ask("resources/read", json!({ "uri": uri }), patience).await?))
        }
        McpRequest::Prompts => Ok(connection.list("prompts/list", "prompts", patience).await?.into()),
        McpRequest::GetPrompt { prompt, arguments } => {
            let params = json!({"name": prompt, "arguments": tools::texts(arguments)});
            Ok(content::of_prompt(connection.ask("prompts/get", params, patience).await?))
        }
        McpRequest::AllTools | McpRequest::Call { .. } | McpRequest::Schema { .. } => Ok(Value::Null),
    }
}

fn rehearsed(path: &str, tool: &Tool, arguments: Map<String, Value>) -> Value {
    json!({"dry_run": true, "function": path, "operation": tool.operation.as_str(), "arguments": arguments})
}
