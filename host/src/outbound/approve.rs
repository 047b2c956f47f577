//! Asking about a request that other functions cover too, where their permission is `ask`: whoever approved `api_delete`
//! did not approve what `delete_message` does. Each request is asked about by itself; the invocation's time does not run
//! meanwhile.

use super::Gate;
use super::check::{Open, Permit};
use crate::approval::{Overlap, Question};
use crate::fault::Fault;
use http::Method;

impl Gate {
    /// Whether every function that covers a request and has to be asked about is approved, on record.
    ///
    /// # Errors
    /// The first answer that is no yes, or that nobody can be asked.
    pub(super) async fn approve(&self, method: &Method, uri: &str, permit: &Permit<'_>) -> Result<(), Fault> {
        let checker = self.checker();
        let Some((approvals, asked)) = &self.approver else {
            return checker.check_closed(method, uri, permit).inspect_err(|fault| self.refused(method, uri, fault));
        };
        for open in &permit.open {
            let answer = approvals.ask(&self.question(asked, method, permit, open)).await;
            self.answered(method, permit, answer, &open.ruling.rule)?;
            let answered = open.ruling.answered(&checker.intent(open.function), answer);
            answered.map_err(|fault| checker.told(method, uri, open.function, fault))?;
        }
        Ok(())
    }

    fn question(&self, asked: &Question, method: &Method, permit: &Permit<'_>, open: &Open<'_>) -> Question {
        let mut url = permit.target.url().clone();
        url.set_query(None);
        let url = self.host.secrets.scrubbed(url.into());
        let request = Overlap { function: self.function.clone(), method: method.to_string(), url };
        Question {
            arguments: asked.arguments.clone(),
            request: Some(request),
            rehearsed: asked.rehearsed,
            ..Question::new(&asked.provider, &asked.account, open.function, &open.ruling.rule)
        }
    }
}
