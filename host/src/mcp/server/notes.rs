//! What a call tells its client while it runs: how far it is, and what somebody has to be asked. Told by whichever
//! thread the work is on; passed on by the call itself, which alone may speak to the client.

use super::elicit::Patience;
use crate::clip::clipped;
use crate::observer::{Observed, Observer, Request};
use crate::{Approval, Approver, Approving, Question};
use rmcp::model::{NumberOrString, ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Progress that is not passed on yet; more is left out.
const NOTES: usize = 64;
/// Most bytes of a progress token: every note repeats it.
const TOKEN: usize = 256;
/// Most characters of a note: names in it may be a script's.
const TEXT: usize = 300;
/// How long a client has to take a note, and what is left when its call is done.
const LAST: Duration = Duration::from_secs(1);

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
    told: u32,
    patience: Patience,
}

/// A desk, and who reads what is left there.
pub(super) fn desk(peer: &Peer<RoleServer>, token: Option<ProgressToken>) -> (Desk, Reader) {
    let (sender, notes) = mpsc::channel(NOTES);
    (
        Desk(sender),
        Reader { notes, peer: peer.clone(), token: token.filter(is_short), told: 0, patience: Patience::default() },
    )
}

fn is_short(token: &ProgressToken) -> bool {
    match &token.0 {
        NumberOrString::String(text) => text.len() <= TOKEN,
        NumberOrString::Number(_) => true,
    }
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
        let _ = self.0.try_send(Note::Progress(clipped(&text, TEXT).into()));
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
    /// Passes on whatever is left on the desk, for as long as this is polled. A client that takes nothing keeps nobody
    /// but this: what it is told meanwhile is left out.
    pub(super) async fn attend(&mut self) {
        while let Some(note) = self.notes.recv().await {
            self.pass_on(note).await;
        }
        // The desk is gone, and the call will be.
        std::future::pending().await
    }

    /// Passes on what is left, without waiting for more.
    pub(super) async fn finish(mut self) {
        let rest = async {
            while let Ok(Note::Progress(text)) = self.notes.try_recv() {
                self.tell(text).await;
            }
        };
        // What a client does not take then, it goes without.
        let _ = timeout(LAST, rest).await;
    }

    /// A question takes as long as somebody takes.
    async fn pass_on(&mut self, note: Note) {
        match note {
            Note::Progress(text) => self.tell(text).await,
            Note::Question(question, answer) => {
                // Whoever asked may have given up.
                let _ = answer.send(self.patience.ask(&self.peer, &question).await);
            }
        }
    }

    async fn tell(&mut self, text: String) {
        let Some(token) = &self.token else { return };
        self.told += 1;
        let progress = ProgressNotificationParam::new(token.clone(), self.told.into()).with_message(text);
        if timeout(LAST, self.peer.notify_progress(progress)).await.is_err() {
            // Questions are not kept behind what it does not take.
            self.token = None;
        }
    }
}
