//! Who is signed in, where: one file that nobody else may read.

use std::{fs, io, path::Path};

use baton_shared::protocol::{Person, SignedIn};
use serde::{Deserialize, Serialize};

use crate::{
    local::{private_folder, write_private},
    net::{Address, AddressError},
};

/// A sign-in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    server: String,
    token: String,
    pub me: Person,
    /// Plain http to another machine was asked for.
    #[serde(default)]
    insecure: bool,
}

/// Why there is no sign-in to use.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("nobody is signed in here: `baton login URL`, with the secret from `baton-server agent add`")]
    Missing,
    #[error("the sign-in in {path} cannot be used: {why}; sign in again with `baton login URL`")]
    Unusable { path: String, why: String },
}

impl Session {
    pub fn new(address: &Address, granted: SignedIn, insecure: bool) -> Self {
        Self { server: address.to_string(), token: granted.token, me: granted.me, insecure }
    }

    pub fn load(path: &Path) -> Result<Self, SessionError> {
        let unusable = |why: String| SessionError::Unusable { path: path.display().to_string(), why };
        match fs::read(path) {
            // serde's sentence could quote the token.
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| unusable("it is not what was written".into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SessionError::Missing),
            Err(error) => Err(unusable(error.to_string())),
        }
    }

    pub fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        write_private(path, &serde_json::to_vec_pretty(self)?)
    }

    pub fn address(&self) -> Result<Address, AddressError> {
        self.server.parse::<Address>()?.allowed(self.insecure)
    }

    pub fn token(&self) -> &str {
        &self.token
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret.
        f.debug_struct("Session").field("server", &self.server).field("me", &self.me.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{ANA, person};

    #[test]
    fn a_sign_in_comes_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baton/session.json");
        assert!(matches!(Session::load(&path), Err(SessionError::Missing)));
        let address: Address = "http://127.0.0.1:8080".parse().unwrap();
        let granted = SignedIn { token: "secret".into(), me: person(ANA) };
        let session = Session::new(&address, granted, false);
        session.save(&path).unwrap();
        let again = Session::load(&path).unwrap();
        assert_eq!((again.token(), again.address().unwrap(), again.me.clone()), ("secret", address, person(ANA)));
        assert!(!format!("{again:?}").contains("secret"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, b"{}").unwrap();
        assert!(matches!(Session::load(&path), Err(SessionError::Unusable { .. })));
    }
}
