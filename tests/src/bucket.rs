//! A bucket in memory behind S3's HTTP API, as much of it as keeps files: whole and in parts, read, deleted.
//! Every signature is checked (AWS Signature Version 4, "Authenticating Requests").

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use baton_server::{
    config::{self, Key, Secret},
    lifecycle::Lifecycle,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

const NAME: &str = "files";
const REGION: &str = "eu-central-1";
const KEY: &str = "AKIATEST";
const SECRET: &str = "a/secret+key";

pub struct Bucket {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
    /// Serves until the bucket is dropped.
    _life: Lifecycle,
}

#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, Bytes>,
    /// Of files that are not whole yet, by the upload's id.
    parts: BTreeMap<String, BTreeMap<u32, Bytes>>,
    is_away: bool,
}

impl Bucket {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let shelf = Arc::<Mutex<Shelf>>::default();
        let routes = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(shelf.clone());
        let life = Lifecycle::default();
        life.spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        Self { address, shelf, _life: life }
    }

    /// As an operator names it.
    pub fn settings(&self, secret: &str) -> config::Bucket {
        config::Bucket {
            name: NAME.into(),
            prefix: "baton/media".into(),
            region: REGION.into(),
            endpoint: Some(format!("http://{}", self.address)),
            key: Some(Key { id: KEY.into(), secret: Secret::new(secret) }),
        }
    }

    pub const SECRET: &str = SECRET;

    /// It answers with errors from now on, or no longer.
    pub fn is_away(&self, is_away: bool) {
        lock(&self.shelf).is_away = is_away;
    }

    /// What lies in it, by name.
    pub fn files(&self) -> BTreeMap<String, Bytes> {
        lock(&self.shelf).files.clone()
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(shelf): State<Arc<Mutex<Shelf>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if lock(&shelf).is_away {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if signed(&method, &uri, &headers, &body).is_none() {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(key) = uri.path().strip_prefix(&format!("/{NAME}/")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let query: BTreeMap<&str, &str> = pairs(&uri).collect();
    let upload = query.get("uploadId").copied();
    let mut shelf = lock(&shelf);
    match (method.as_str(), upload) {
        ("POST", None) if query.contains_key("uploads") => shelf.begin(key),
        ("PUT", Some(upload)) => shelf.part(upload, query.get("partNumber").copied(), body),
        ("POST", Some(upload)) => shelf.complete(key, upload),
        ("DELETE", Some(upload)) => {
            shelf.parts.remove(upload);
            StatusCode::NO_CONTENT.into_response()
        }
        ("PUT", None) => {
            shelf.files.insert(key.into(), body);
            kept()
        }
        ("GET", None) => shelf.get(key),
        ("DELETE", None) => {
            shelf.files.remove(key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

impl Shelf {
    fn begin(&mut self, key: &str) -> Response {
        let id = (self.parts.len() + 1).to_string();
        self.parts.insert(id.clone(), BTreeMap::new());
        let (open, close) = ("<InitiateMultipartUploadResult>", "</InitiateMultipartUploadResult>");
        format!("{open}<Bucket>{NAME}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>{close}").into_response()
    }

    fn part(&mut self, upload: &str, number: Option<&str>, body: Bytes) -> Response {
        let number = number.and_then(|number| number.parse().ok());
        let (Some(parts), Some(number)) = (self.parts.get_mut(upload), number) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        parts.insert(number, body);
        kept()
    }

    fn complete(&mut self, key: &str, upload: &str) -> Response {
        let Some(parts) = self.parts.remove(upload) else { return StatusCode::NOT_FOUND.into_response() };
        // S3 takes no smaller parts, but for the last one.
        let small = parts.values().rev().skip(1).any(|part| part.len() < 5 << 20);
        if small {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let whole: Vec<u8> = parts.into_values().flatten().collect();
        self.files.insert(key.into(), whole.into());
        "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>".into_response()
    }

    fn get(&self, key: &str) -> Response {
        let Some(file) = self.files.get(key) else { return StatusCode::NOT_FOUND.into_response() };
        let facts = [(header::ETAG, "\"1\""), (header::LAST_MODIFIED, "Fri, 20 Nov 2026 12:00:00 GMT")];
        (facts, file.clone()).into_response()
    }
}

fn kept() -> Response {
    [(header::ETAG, "\"1\"")].into_response()
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    uri.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Whether whoever asks knows the secret; `None` if not.
fn signed(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Option<()> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let given = text("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let field = |name: &str| given.split(", ").find_map(|part| part.strip_prefix(name));
    let (credential, names, signature) = (field("Credential=")?, field("SignedHeaders=")?, field("Signature=")?);
    let scope = credential.strip_prefix(KEY)?.strip_prefix('/')?;
    let payload = text("x-amz-content-sha256")?;
    if payload != hex::encode(Sha256::digest(body)) {
        return None;
    }
    let mut query: Vec<String> = pairs(uri).map(|(name, value)| format!("{name}={value}")).collect();
    query.sort();
    let query = if uri.query().is_some() { query.join("&") } else { String::new() };
    let lines: Option<String> = names.split(';').map(|name| Some(format!("{name}:{}\n", text(name)?.trim()))).collect();
    let canonical = format!("{method}\n{}\n{query}\n{}\n{names}\n{payload}", uri.path(), lines?);
    let digest = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", text("x-amz-date")?);
    let key = scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part.as_bytes()));
    (hex::encode(mac(&key, to_sign.as_bytes())) == signature).then_some(())
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.chain_update(data).finalize().into_bytes().to_vec()
}
