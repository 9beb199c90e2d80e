//! Why a command ended badly: one line, and what to exit with.

use std::{error::Error, fmt, process::ExitCode};

use baton_server::{
    StartError,
    config::{ConfigError, one_line},
    store::{OpenError, StoreError},
};

/// One line for whoever typed the command.
#[derive(Debug)]
pub(super) struct Failure {
    line: String,
    code: u8,
}

impl Failure {
    /// A setting or an argument is wrong; nothing was started.
    pub(super) fn wrong(line: impl Into<String>) -> Self {
        Self { line: one_line(&line.into()), code: 2 }
    }

    pub(super) fn failed(line: impl Into<String>) -> Self {
        Self { line: one_line(&line.into()), code: 1 }
    }

    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::wrong(error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let line = match error.no_such_database() {
            Some(why) => format!("{why}: `createdb` makes it"),
            None => with_causes(&error),
        };
        Self::wrong(format!("database_url: {line}"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(with_causes(&error))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Open(error) => error.into(),
            other => Self::wrong(with_causes(&other)),
        }
    }
}

/// The outermost error says what could not be done, the inner ones why.
fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !line.contains(&why) {
            line = format!("{line}: {why}");
        }
        cause = error.source();
    }
    line
}
