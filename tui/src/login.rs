//! `baton login` and `baton logout`.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use baton::{
    net::{Address, sign_in},
    session::Session,
};
use crossterm::{
    event::{Event, KeyCode, KeyEventKind, KeyModifiers, read},
    terminal::{disable_raw_mode, enable_raw_mode},
};

use crate::Failure;

/// Changes a one-time secret into a sign-in and keeps that.
pub(crate) async fn login(url: &str, insecure: bool, session: &Path) -> Result<(), Failure> {
    let address = url.parse::<Address>()?.allowed(insecure)?;
    let secret = secret(&address)?;
    let granted = sign_in(&address, &secret).await?;
    let (name, role) = (baton::text::Clean::line(&granted.me.name), granted.me.role);
    Session::new(&address, granted, insecure).save(session)?;
    println!("Signed in to {address} as {name} ({role}). `baton` opens the inbox.");
    Ok(())
}

/// Forgets the sign-in; drafts stay.
pub(crate) fn logout(session: &Path) -> io::Result<()> {
    match std::fs::remove_file(session) {
        Ok(()) => println!("Signed out on this machine. What you typed and did not send is kept."),
        Err(error) if error.kind() == io::ErrorKind::NotFound => println!("Nobody was signed in here."),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Asks without echo; from a pipe it is the first line.
fn secret(address: &Address) -> io::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim().to_owned());
    }
    // Before it asks: a secret that is pasted at once must not be read by the terminal itself.
    enable_raw_mode()?;
    eprint!("One-time secret for {address}: ");
    io::stderr().flush()?;
    let typed = typed();
    disable_raw_mode()?;
    eprintln!();
    typed
}

fn typed() -> io::Result<String> {
    let mut secret = String::new();
    loop {
        match read()? {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => match key.code {
                KeyCode::Enter => return Ok(secret.trim().to_owned()),
                // A line feed, as some terminals paste the end of a line.
                KeyCode::Char('j') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    return Ok(secret.trim().to_owned());
                }
                KeyCode::Backspace => {
                    secret.pop();
                }
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    return Err(io::Error::new(io::ErrorKind::Interrupted, "not signed in"));
                }
                KeyCode::Char(letter) => secret.push(letter),
                _ => {}
            },
            Event::Paste(text) => secret.push_str(text.trim()),
            Event::Resize(..) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) => {}
        }
    }
}
