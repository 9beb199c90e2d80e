//! A message of any kind as lines of text: what it replies to, what it holds, who reacted to it.

use baton_shared::{
    content::{
        Call, Choice, ContactCard, Content, Detail, Form, Forwarded, Location, Media, MediaState, Order, Product,
        Referral, Source, plain_name,
    },
    message::{Author, Body, Message, Quote, Reaction},
    offer::{Offer, Words},
};

use crate::{state::known::File, text::Clean, words};

/// What stands in the thread. Foreign text is put in as it came and made harmless as a whole.
pub fn shown(message: &Message) -> Clean {
    let mut lines = Vec::new();
    lines.extend(message.quote.as_ref().map(quote));
    lines.push(body(&message.body));
    lines.extend(reactions(&message.reactions));
    Clean::from_untrusted(&lines.join("\n"))
}

/// What is worth knowing of a message beside its words; the shortest first.
pub fn marks(message: &Message) -> Vec<&'static str> {
    let detail = message.body.detail.as_deref();
    let forwarded = detail.and_then(|detail| detail.forwarded).map(|forwarded| match forwarded {
        Forwarded::Once => "forwarded",
        Forwarded::Often => "forwarded many times",
    });
    let edited = message.edited.is_some().then_some("edited");
    let revoked = message.revoked_at.is_some().then_some("deleted for everybody");
    forwarded.into_iter().chain(edited).chain(revoked).collect()
}

fn quote(quote: &Quote) -> String {
    let who = match quote.author {
        Some(Author::Customer) => "they",
        Some(_) => "we",
        None => return "> a message that is not here".into(),
    };
    let line: String = quote.text.lines().next().unwrap_or_default().chars().take(80).collect();
    format!("> {who}: {line}")
}

fn reactions(reactions: &[Reaction]) -> Option<String> {
    let one = |reaction: &Reaction| {
        let who = if reaction.by == Author::Customer { "" } else { " (we)" };
        format!("{}{who}", reaction.emoji)
    };
    let all: Vec<String> = reactions.iter().map(one).collect();
    (!all.is_empty()).then(|| format!("[reacted: {}]", all.join(" ")))
}

fn body(body: &Body) -> String {
    let detail = body.detail.as_deref();
    let mut lines: Vec<String> = detail.map(origin).unwrap_or_default();
    match detail.and_then(|detail| detail.content.as_ref()) {
        Some(content) => lines.extend(content_lines(content, body)),
        None => lines.push(plain(&body.kind, &body.text)),
    }
    lines.extend(detail.and_then(|detail| sources(&detail.sources)));
    lines.join("\n")
}

/// What the bot's words rest on.
fn sources(sources: &[Source]) -> Option<String> {
    let one = |source: &Source| match source.heading.as_str() {
        "" => source.document.clone(),
        heading => format!("{} > {heading}", source.document),
    };
    let all: Vec<String> = sources.iter().map(one).collect();
    (!all.is_empty()).then(|| format!("[from {}]", all.join("; ")))
}

/// The text, or what stands for a kind that has none.
fn plain(kind: &str, text: &str) -> String {
    match (kind, text.is_empty()) {
        ("text", _) => text.to_owned(),
        (kind, true) => format!("[{}]", kind.replace('_', " ")),
        (kind, false) => format!("[{}] {text}", kind.replace('_', " ")),
    }
}

/// Where the customer came from.
fn origin(detail: &Detail) -> Vec<String> {
    let referral = detail.referral.as_ref().map(referral);
    let product = detail.product.as_ref().and_then(product);
    referral.into_iter().chain(product).collect()
}

/// By the ids under which the business's catalogue has it.
fn product(product: &Product) -> Option<String> {
    match (&product.product, &product.catalog) {
        (Some(product), Some(catalog)) => Some(format!("[about the product {product} of catalogue {catalog}]")),
        (Some(product), None) => Some(format!("[about the product {product}]")),
        (None, catalog) => catalog.as_ref().map(|catalog| format!("[about catalogue {catalog}]")),
    }
}

fn referral(referral: &Referral) -> String {
    let what = referral.source.as_deref().unwrap_or("link");
    let parts = [&referral.headline, &referral.url].into_iter().flatten().map(String::as_str);
    format!("[came from a {what}: {}]", parts.collect::<Vec<_>>().join(", "))
}

fn content_lines(content: &Content, body: &Body) -> Vec<String> {
    match content {
        Content::Media(media) => media_lines(media, body),
        Content::Location(location) => location_lines(location),
        Content::Contacts { cards } => cards.iter().map(contact).collect(),
        Content::Choice(choice) => choice_lines(choice, &body.text),
        Content::Form(form) => form_lines(form),
        Content::CallPermission { granted: true, .. } => vec!["[you may call]".into()],
        Content::CallPermission { granted: false, .. } => vec!["[you may not call]".into()],
        Content::Order(order) => order_lines(order, &body.text),
        Content::Offer(offer) => self::offer(offer, &body.text),
        Content::Reaction { emoji: Some(emoji) } => vec![format!("[reacted {emoji} to a message that is not here]")],
        Content::Reaction { emoji: None } => vec!["[took back a reaction to a message that is not here]".into()],
        Content::System { event } => vec![system(event, &body.text)],
        Content::Call(call) => vec![self::call(call)],
        Content::Unsupported { what, code, why } => {
            let what = what.as_deref().unwrap_or("message").replace('_', " ");
            let why = why.as_deref().map_or_else(String::new, |why| format!(": {why}"));
            let code = code.map_or_else(String::new, |code| format!(" ({code})"));
            vec![format!("[a {what} that WhatsApp does not pass on{why}{code}]")]
        }
        Content::Unknown => vec![plain(&body.kind, &body.text)],
    }
}

/// As the customer sees it; what can be pressed stands in brackets.
fn offer(offer: &Offer, text: &str) -> Vec<String> {
    let around = |words: &Words, inside: Vec<String>| {
        let above = (!words.above.is_empty()).then(|| format!("*{}*", words.above));
        let below = (!words.below.is_empty()).then(|| format!("_{}_", words.below));
        above.into_iter().chain([words.body.clone()]).chain(below).chain(inside).collect()
    };
    match offer {
        Offer::Buttons { words, buttons } => {
            let buttons: Vec<String> = buttons.iter().map(|title| format!("[ {title} ]")).collect();
            around(words, vec![buttons.join(" ")])
        }
        Offer::List { words, label, sections } => {
            let rows = sections.iter().flat_map(|section| {
                let title = (!section.title.is_empty()).then(|| section.title.clone());
                let rows = section.rows.iter().map(|row| match row.description.as_str() {
                    "" => format!("- {}", row.title),
                    more => format!("- {}: {more}", row.title),
                });
                title.into_iter().chain(rows)
            });
            around(words, std::iter::once(format!("[ {label} ]")).chain(rows).collect())
        }
        Offer::Link { words, label, url } => around(words, vec![format!("[ {label} ] {url}")]),
        Offer::AskPlace { body } => vec![body.clone(), "[ send a location ]".into()],
        Offer::AskContact { body } => vec![body.clone(), "[ share the phone number ]".into()],
        Offer::Form { words, label, flow, .. } => around(words, vec![format!("[ {label} ] form {flow}")]),
        Offer::Place { .. } | Offer::Cards { .. } | Offer::Unknown => vec![plain("interactive", text)],
    }
}

/// The file that a message brings, and what to call it here.
pub fn file(message: &Message) -> Option<File> {
    let Content::Media(media) = message.body.detail.as_ref()?.content.as_ref()? else { return None };
    let name = media.file_name.as_deref().and_then(plain_name).unwrap_or_else(|| {
        let id = message.id.0.simple().to_string();
        let short = id.get(24..).unwrap_or_default();
        format!("{}-{short}{}", plain_name(&message.body.kind).unwrap_or_default(), extension(media))
    });
    let detail = message.body.detail.as_deref();
    let line = usize::from(message.quote.is_some()) + detail.map_or(0, |detail| origin(detail).len());
    let problem = media.problem.as_deref().map(Clean::from_untrusted);
    Some(File { state: media.state, name, thumbnail: media.thumbnail, line, problem })
}

fn extension(media: &Media) -> &'static str {
    let kind = media.mime_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default();
    match kind {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/webp" => ".webp",
        "video/mp4" => ".mp4",
        "video/3gpp" => ".3gp",
        "audio/ogg" => ".ogg",
        "audio/mpeg" => ".mp3",
        "audio/mp4" => ".m4a",
        "audio/aac" => ".aac",
        "audio/amr" => ".amr",
        "application/pdf" => ".pdf",
        _ => "",
    }
}

/// How far its bytes have come, for the line of its name.
fn stage(media: &Media) -> String {
    match (media.state, media.size) {
        (Some(MediaState::Stored), Some(size)) => format!(", {}", words::bytes(size.unsigned_abs())),
        (Some(MediaState::Waiting), _) => ", on its way".into(),
        (Some(MediaState::Failed | MediaState::Gone | MediaState::Refused), _) => ", not here".into(),
        (Some(MediaState::Stored | MediaState::Unknown) | None, _) => String::new(),
    }
}

fn media_lines(media: &Media, body: &Body) -> Vec<String> {
    let what = match body.kind.as_str() {
        "audio" if media.voice => "voice message",
        "sticker" if media.animated => "animated sticker",
        kind => kind,
    };
    // As it would be saved: folders and marks that hide its end are no part of it.
    let name = media.file_name.as_deref().and_then(plain_name).map_or_else(String::new, |name| format!(" {name}"));
    let has_caption = !body.text.is_empty() && Some(&body.text) != media.file_name.as_ref();
    let caption = has_caption.then(|| body.text.clone());
    let line = format!("[{what}{name}{}]", stage(media));
    let sense = if body.kind == "audio" { "heard" } else { "seen" };
    let words = media.words.as_ref().map(|words| format!("{sense}: {words}"));
    std::iter::once(line).chain(media.problem.clone()).chain(caption).chain(words).collect()
}

fn location_lines(location: &Location) -> Vec<String> {
    let named: Vec<&str> = [&location.name, &location.address].into_iter().flatten().map(String::as_str).collect();
    let first = if named.is_empty() { "[location]".to_owned() } else { format!("[location] {}", named.join(", ")) };
    let place = format!("{}, {}", location.latitude, location.longitude);
    [first, place].into_iter().chain(location.url.clone()).collect()
}

fn contact(card: &ContactCard) -> String {
    let name = card.name.as_deref().unwrap_or("no name");
    let rest = card.organisation.iter().chain(&card.phones).chain(&card.emails).map(String::as_str);
    let rest: Vec<&str> = rest.collect();
    if rest.is_empty() { format!("[contact] {name}") } else { format!("[contact] {name}: {}", rest.join(", ")) }
}

fn choice_lines(choice: &Choice, text: &str) -> Vec<String> {
    let title = choice.title.as_deref().or(choice.id.as_deref()).unwrap_or(text);
    std::iter::once(format!("[chose] {title}")).chain(choice.description.clone()).collect()
}

fn form_lines(form: &Form) -> Vec<String> {
    let title = match (form.fields.is_empty(), form.broken) {
        (_, true) => "[a form whose answers cannot be read]",
        (true, false) => "[a form without answers]",
        (false, false) => "[form]",
    };
    let fields = form.fields.iter().map(|field| format!("{}: {}", field.name, field.value));
    std::iter::once(title.to_owned()).chain(fields).collect()
}

fn order_lines(order: &Order, text: &str) -> Vec<String> {
    let items = order.items.iter().map(|item| {
        let price = match (&item.price, &item.currency) {
            (Some(price), Some(currency)) => format!(" at {price} {currency}"),
            (Some(price), None) => format!(" at {price}"),
            (None, _) => String::new(),
        };
        format!("{} x {}{price}", item.quantity.as_deref().unwrap_or("1"), item.product)
    });
    // The text repeats the items below what the customer wrote.
    let wrote = text.lines().take_while(|line| !line.contains(" × "));
    let wrote: Vec<String> = wrote.map(str::to_owned).collect();
    let from =
        order.catalog.as_ref().map_or("[order]".to_owned(), |catalog| format!("[order from catalogue {catalog}]"));
    std::iter::once(from).chain(wrote).chain(items).collect()
}

fn system(event: &str, text: &str) -> String {
    match event {
        "user_changed_number" => format!("[has a new number] {text}"),
        "user_changed_user_id" => format!("[has a new id] {text}"),
        "customer_identity_changed" | "user_identity_changed" => format!("[has a new device or number] {text}"),
        event => format!("[{}] {text}", event.replace('_', " ")),
    }
}

fn call(call: &Call) -> String {
    let who = if call.by_customer { "called" } else { "was called" };
    let long = call.seconds.map_or_else(String::new, |seconds| format!(", {seconds} s"));
    format!("[{who}{long}]")
}

#[cfg(test)]
mod tests {
    use baton_shared::content::OrderItem;

    use super::*;

    fn message(kind: &str, text: &str, content: Option<Content>) -> Message {
        let detail = content.map(|content| Box::new(Detail { content: Some(content), ..Detail::default() }));
        Message {
            body: Body { kind: kind.into(), text: text.into(), detail },
            ..crate::fixture::said(1, Author::Customer, 5, "")
        }
    }

    fn lines(kind: &str, text: &str, content: Content) -> String {
        shown(&message(kind, text, Some(content))).as_str().to_owned()
    }

    #[test]
    fn what_the_bots_words_rest_on_stands_under_them() {
        let source = |document: &str, heading: &str| Source { document: document.into(), heading: heading.into() };
        let sources = vec![source("returns.md", "Returns > Exchanges"), source("hours.txt", "")];
        let detail = Some(Box::new(Detail { sources, ..Detail::default() }));
        let body = Body { detail, ..Body::text("Another size is free.") };
        assert_eq!(super::body(&body), "Another size is free.\n[from returns.md > Returns > Exchanges; hours.txt]");
    }

    #[test]
    fn every_kind_can_be_read() {
        let media = Media { voice: true, ..Media::default() };
        assert_eq!(lines("audio", "", Content::Media(media)), "[voice message]");
        let bill = Media { file_name: Some("bill.pdf".into()), ..Media::default() };
        assert_eq!(lines("document", "here", Content::Media(bill.clone())), "[document bill.pdf]\nhere");
        assert_eq!(lines("document", "bill.pdf", Content::Media(bill)), "[document bill.pdf]");
        let place =
            Location { latitude: "52.5".into(), longitude: "13.4".into(), name: None, address: None, url: None };
        assert_eq!(lines("location", "52.5, 13.4", Content::Location(place)), "[location]\n52.5, 13.4");
        let broken = Form { name: None, fields: vec![], broken: true };
        assert_eq!(lines("interactive", "Sent", Content::Form(broken)), "[a form whose answers cannot be read]");
        let poll = Content::Unsupported { what: Some("poll_creation".into()), code: Some(131_051), why: None };
        assert_eq!(lines("unsupported", "", poll), "[a poll creation that WhatsApp does not pass on (131051)]");
        assert_eq!(lines("hologram", "hi", Content::Unknown), "[hologram] hi");
        assert_eq!(shown(&message("hologram", "", None)).as_str(), "[hologram]");
    }

    #[test]
    fn products_and_orders_name_the_catalogue() {
        let of = |catalog: Option<&str>| {
            let item = OrderItem {
                product: "lamp-blue".into(),
                quantity: Some("2".into()),
                price: Some("19.9".into()),
                currency: Some("EUR".into()),
            };
            let order = Order { catalog: catalog.map(Into::into), items: vec![item] };
            lines("order", "As a gift\n2 × lamp-blue", Content::Order(order))
        };
        assert_eq!(of(Some("77")), "[order from catalogue 77]\nAs a gift\n2 x lamp-blue at 19.9 EUR");
        assert!(of(None).starts_with("[order]\n"));
        let about = |product: Product| {
            let mut said = message("text", "Is it in stock?", Some(Content::Unknown));
            said.body.detail = Some(Box::new(Detail { product: Some(product), ..Detail::default() }));
            shown(&said).to_string()
        };
        let product = Product { catalog: Some("77".into()), product: Some("lamp-blue".into()) };
        assert_eq!(about(product), "[about the product lamp-blue of catalogue 77]\nIs it in stock?");
        assert!(about(Product { catalog: Some("77".into()), product: None }).starts_with("[about catalogue 77]"));
    }

    #[test]
    fn what_it_replies_to_stands_above_and_reactions_below() {
        let said = Message {
            quote: Some(Quote { message: None, author: Some(Author::Bot), text: "Which size?\nS or M".into() }),
            reactions: vec![Reaction { by: Author::Agent, emoji: "👍".into(), at: baton_shared::Micros::ZERO }],
            ..message("text", "M", None)
        };
        assert_eq!(shown(&said).as_str(), "> we: Which size?\nM\n[reacted: 👍 (we)]");
    }

    #[test]
    fn promise_12_no_part_of_it_steers_a_terminal() {
        let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}";
        let card = ContactCard { name: Some(evil.into()), phones: vec![evil.into()], ..ContactCard::default() };
        let order = Order {
            catalog: None,
            items: vec![OrderItem { product: evil.into(), quantity: Some(evil.into()), price: None, currency: None }],
        };
        for content in
            [Content::Contacts { cards: vec![card] }, Content::Order(order), Content::System { event: evil.into() }]
        {
            let shown = lines("x", evil, content);
            assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{shown:?}");
        }
    }
}
