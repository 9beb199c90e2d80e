//! Signed bodies on their way: posted, answered or not, posted again.

use std::time::Duration;

use baton_shared::Micros;
use bytes::Bytes;

use super::{
    Attempt, Happening, Signed, Whatsapp,
    news::{About, News},
    signature,
};
use crate::chance::{Chance, Span};

/// One signed body; counts up from 0 in the order of signing, as in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub usize);

/// A POST to make now.
#[derive(Clone, Debug)]
pub struct OutgoingWebhook {
    pub id: WebhookId,
    /// The first is 1.
    pub attempt: usize,
    /// The app's id.
    pub app: String,
    pub url: String,
    pub body: Bytes,
    /// The value of [`SIGNATURE_HEADER`](super::SIGNATURE_HEADER).
    pub signature: String,
}

#[derive(Debug)]
pub(crate) struct Webhook {
    app: usize,
    /// Let go once it is acknowledged or given up.
    body: Bytes,
    signature: String,
    signed_at: Micros,
}

impl Whatsapp {
    /// The outcome of a POST: the status of its answer, or `None` if there was none in time.
    /// Anything but 200 is tried again, less and less often, until the horizon.
    pub fn answered(&mut self, webhook: WebhookId, status: Option<u16>, now: Micros) {
        let Some(signed) = self.ledger.signed.get_mut(webhook.0) else { return };
        let Some(attempt) = signed.attempts.last_mut().filter(|attempt| attempt.answered_at.is_none()) else { return };
        *attempt = Attempt { answered_at: Some(now), status, ..*attempt };
        if status == Some(200) {
            self.webhooks[webhook.0].body = Bytes::new();
            return;
        }
        let retry_at = now.plus(self.retry_wait(self.ledger.signed[webhook.0].attempts.len()));
        if retry_at.since(self.webhooks[webhook.0].signed_at) > self.config.pace.retry_horizon {
            self.ledger.signed[webhook.0].given_up = true;
            self.webhooks[webhook.0].body = Bytes::new();
        } else {
            self.at(retry_at, Happening::Post(webhook));
        }
    }

    pub(super) fn sign_and_post(&mut self, now: Micros, app: usize, news: &[News], body: Bytes) {
        let first = self.sign(now, app, news, body.clone(), None);
        self.at(now, Happening::Post(first));
        if self.rng.happens(self.config.faults.duplicate / 2.0) {
            let again_at = now.plus(self.rng.within(self.config.faults.duplicate_after));
            let again = self.sign(again_at, app, news, body, Some(first));
            self.at(again_at, Happening::Post(again));
        }
    }

    pub(super) fn post(&mut self, webhook: WebhookId, now: Micros) -> Option<OutgoingWebhook> {
        let Webhook { app, body, signature, .. } = &self.webhooks[webhook.0];
        let app = &self.config.apps[*app];
        let url = app.callback_url.clone()?;
        let attempts = &mut self.ledger.signed[webhook.0].attempts;
        attempts.push(Attempt { posted_at: now, answered_at: None, status: None });
        Some(OutgoingWebhook {
            id: webhook,
            attempt: attempts.len(),
            app: app.id.clone(),
            url,
            body: body.clone(),
            signature: signature.clone(),
        })
    }

    fn sign(
        &mut self,
        now: Micros,
        app: usize,
        news: &[News],
        body: Bytes,
        duplicate_of: Option<WebhookId>,
    ) -> WebhookId {
        let id = WebhookId(self.webhooks.len());
        let of = &self.config.apps[app];
        let mut signed = Signed {
            id,
            app: of.id.clone(),
            signed_at: now,
            hash: signature::hash(&body),
            bytes: body.len(),
            messages: Vec::new(),
            statuses: Vec::new(),
            duplicate_of,
            attempts: Vec::new(),
            given_up: false,
        };
        for news in news {
            match &news.about {
                About::Said(index) | About::Copy(index) => signed.messages.push(self.incoming[*index].wamid.clone()),
                About::Status(status) => {
                    signed.statuses.push((self.outgoing[status.outgoing].wamid.clone(), status.state.word()));
                }
            }
        }
        let signature = signature::sign(&of.secret, &body);
        self.ledger.signed.push(signed);
        self.webhooks.push(Webhook { app, body, signature, signed_at: now });
        id
    }

    /// Doubles with each attempt, spread by a fifth so that retries do not come in step.
    fn retry_wait(&mut self, attempts: usize) -> Duration {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(30);
        let pace = &self.config.pace;
        let wait = pace.retry_first.saturating_mul(1 << doublings).min(pace.retry_longest);
        self.rng.within(Span { from: wait.mul_f64(0.8), to: wait.mul_f64(1.2) })
    }
}
