//! What a call tells its client while it runs: how far it is, and what somebody has to be asked. Told by whichever
//! thread the work is on; passed on by the call itself, which alone may speak to the client.

use super::elicit;
use crate::observer::{Observed, Observer, Request};
use crate::{Approval, Approver, Approving, Question};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use std::sync::Mutex;
use tokio::sync::{mpsc, oneshot};

/// Progress that is not passed on yet; more is left out.
const NOTES: usize = 64;
/// What is to be passed on.
#[derive(Debug)]
pub(super) enum Note {
    Progress(String),
    Question(Box<Question>, oneshot::Sender<Approval>),
}

/// Where notes are left.
#[derive(Clone, Debug)]
pub(super) struct Desk(mpsc::Sender<Note>);

/// Passes notes on to one client, for one call.
pub(super) struct Reader {
    notes: mpsc::Receiver<Note>,
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    /// How many were passed on: progress has to grow.
    told: Mutex<u32>,
}

/// A desk, and who reads what is left there.
pub(super) fn desk(peer: &Peer<RoleServer>, token: Option<ProgressToken>) -> (Desk, Reader) {
    let (sender, notes) = mpsc::channel(NOTES);
    (Desk(sender), Reader { notes, peer: peer.clone(), token, told: Mutex::default() })
}

impl Observer for Desk {
    fn begun(&self, of: &Observed<'_>) {
        self.progress(format!("{}.{} on {}", of.provider, of.function, of.account));
    }

    fn requested(&self, of: &Observed<'_>, request: &Request<'_>) {
        let status = request.status.map_or("no answer".into(), |status| status.to_string());
        let (provider, function, number) = (of.provider, of.function, request.attempt);
        self.progress(format!("{provider}.{function}: request {number}, {status}"));
    }
}

impl Desk {
    fn progress(&self, text: String) {
        // Whoever is behind catches up with the next one.
        let _ = self.0.try_send(Note::Progress(text));
    }
}

impl Approver for Desk {
    fn approve<'a>(&'a self, question: &'a Question) -> Approving<'a> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let asked = self.0.send(Note::Question(Box::new(question.clone()), answer)).await;
            if asked.is_err() {
                return Approval::Unanswered;
            }
            answered.await.unwrap_or(Approval::Unanswered)
        })
    }
}

impl Reader {
    /// Waits for the next note.
    pub(super) async fn next(&mut self) -> Option<Note> {
        self.notes.recv().await
    }

    /// Passes one on. A question takes as long as somebody takes.
    pub(super) async fn pass_on(&self, note: Note) {
        match note {
            Note::Progress(text) => self.tell(text).await,
            Note::Question(question, answer) => {
                // Whoever asked may have given up.
                let _ = answer.send(elicit::ask(&self.peer, &question).await);
            }
        }
    }

    /// Passes on what is left, without waiting for more.
    pub(super) async fn finish(mut self) {
        while let Ok(Note::Progress(text)) = self.notes.try_recv() {
            self.tell(text).await;
        }
    }

    async fn tell(&self, text: String) {
        let Some(token) = &self.token else { return };
        let number = {
            let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *told += 1;
            *told
        };
        let progress = ProgressNotificationParam::new(token.clone(), number.into()).with_message(text);
        // A client that went away needs no progress.
        let _ = self.peer.notify_progress(progress).await;
    }
}
