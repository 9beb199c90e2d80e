//! Files in a bucket of Amazon's S3, or of any service that speaks like it.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, buffered::BufWriter, path::Path};
use tokio::io::AsyncWriteExt;

use crate::config;

/// The smallest part that S3 takes of a file in several; what is smaller goes as a whole.
const PART: usize = 5 * 1024 * 1024;
/// Parts on their way at once: this and [`PART`] are what one file costs of memory.
const PARTS: usize = 2;

/// A bucket that is away for longer fails the file, which has tries of its own.
const PATIENCE: Duration = Duration::from_secs(30);
const TRIES: usize = 3;

#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// A file that is coming in. Nothing of it can be seen before it is [kept](Self::keep); the parts of
/// one that is not are the bucket's to forget.
pub(super) struct Incoming(BufWriter);

impl Bucket {
    pub(super) fn new(bucket: &config::Bucket) -> io::Result<Self> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket.name)
            .with_region(&bucket.region)
            // One at a time is what every service knows.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig { max_retries: TRIES, retry_timeout: PATIENCE, ..RetryConfig::default() });
        if let Some(endpoint) = &bucket.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        // Without a key the machine's own role is asked for one.
        if let Some(key) = &bucket.key {
            builder = builder.with_access_key_id(&key.id).with_secret_access_key(key.secret.reveal());
        }
        Ok(Self { store: Arc::new(builder.build()?), prefix: Path::from(bucket.prefix.as_str()) })
    }

    pub(super) fn receive(&self, place: &str) -> Incoming {
        let writer = BufWriter::with_capacity(self.store.clone(), self.path(place), PART);
        Incoming(writer.with_max_concurrency(PARTS))
    }

    pub(super) async fn open(&self, place: &str) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
        let found = self.store.get(&self.path(place)).await?;
        Ok(found.into_stream().map_err(io::Error::from))
    }

    pub(super) async fn remove(&self, place: &str) -> io::Result<()> {
        Ok(self.store.delete(&self.path(place)).await?)
    }

    fn path(&self, place: &str) -> Path {
        self.prefix.parts().chain(Path::from(place).parts()).collect()
    }
}

impl Incoming {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        Ok(self.0.put(Bytes::copy_from_slice(bytes)).await?)
    }

    pub(super) async fn keep(mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}
