//! The simulated Cloud API as a program of its own: for clients that are not Baton, too.

mod control;
mod options;
mod report;

use std::{io, process::ExitCode, sync::Arc, time::Duration};

use baton_shared::{Clock, SystemClock};
use tokio::time::sleep;

use crate::{Server, World, whatsapp::Whatsapp};

pub use options::{Options, Weather};

/// How often a person is told what is new.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// A server that is started at the same time as this one gets so many tries at the handshake.
const HANDSHAKES: u32 = 20;

/// Serves until Ctrl-C.
pub fn main(options: &Options) -> ExitCode {
    let served = tokio::runtime::Runtime::new().and_then(|runtime| runtime.block_on(serve(options)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("whatsapp-simulator: {}: {why}", options.listen);
            ExitCode::from(2)
        }
    }
}

async fn serve(options: &Options) -> io::Result<()> {
    let server = start(options).await?;
    println!("{}", greeting(options, &server));
    let mut told = report::Told::default();
    let handshake = shake_hands(options, &server);
    let tell = async {
        loop {
            let lines = server.with(|world, _| told.news(&world.whatsapp));
            lines.iter().for_each(|line| println!("{line}"));
            sleep(TELL_EVERY).await;
        }
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(handshake, tell) } => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    server.stop().await;
    Ok(())
}

/// The API, and `/simulator` beside it.
///
/// # Errors
/// If the address cannot be bound, or the machine has no usable TLS.
pub async fn start(options: &Options) -> io::Result<Server> {
    // Another provider could only have been installed by us.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let world = World::new(options.config(), fastrand::Rng::with_seed(options.seed));
    Server::start_on(options.listen, world, clock, control::routes).await
}

/// As when the callback is saved in Meta's dashboard; webhooks are posted whatever comes of it.
async fn shake_hands(options: &Options, server: &Server) {
    let Some(url) = &options.callback else { return };
    let mut failure = String::new();
    for _ in 0..HANDSHAKES {
        match server.handshake(&options.app_id).await {
            Ok(()) => return println!("the handshake with {url} is done"),
            Err(why) => failure = why.to_string(),
        }
        sleep(Duration::from_secs(1)).await;
    }
    println!("the handshake with {url} failed ({failure}); webhooks are posted there all the same");
}

fn greeting(options: &Options, server: &Server) -> String {
    let (base, number) = (server.base_url(), &options.phone_number_id[0]);
    let callback = options.callback.as_deref().unwrap_or("nowhere yet: --callback, or POST /simulator/callback");
    format!(
        "A simulated WhatsApp Cloud API. What your client needs:

  base URL           {}
  access token       {}
  phone number id    {number}   account {}   app {}
  app secret         {}   verify token {}
  webhooks go to     {callback}

A customer writes, and you answer within 24 hours of that:

  curl {base}/simulator/messages -d '{{\"from\":\"15550100199\",\"text\":\"Are you open?\"}}'
  curl {}/{number}/messages -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\
    -d '{{\"messaging_product\":\"whatsapp\",\"to\":\"+15550100199\",\"type\":\"text\",\"text\":{{\"body\":\"Until 18:00.\"}}}}'
  curl {base}/simulator/messages        what reached whom; {base}/simulator says what else there is

Ctrl-C ends it; nothing is kept.
",
        server.graph_url(),
        options.token,
        options.waba_id,
        options.app_id,
        options.app_secret,
        options.verify_token,
        server.graph_url(),
        options.token,
    )
}

/// The account that news are about.
fn account(whatsapp: &Whatsapp) -> String {
    whatsapp.config().accounts.first().map(|account| account.id.clone()).unwrap_or_default()
}
