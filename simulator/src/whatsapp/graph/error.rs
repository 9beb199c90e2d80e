//! Graph errors: code, words and HTTP status, as documented and recorded.

use http::Method;
use serde::Serialize;

/// A refusal with a Graph body.
#[derive(Clone, Debug)]
pub(super) struct GraphError {
    pub(super) status: u16,
    pub(super) code: i64,
    subcode: Option<i64>,
    kind: &'static str,
    pub(super) message: String,
    details: Option<String>,
    /// For people: a title and a sentence.
    told: Option<Box<(&'static str, String)>>,
}

#[derive(Serialize)]
pub(super) struct Body<'a> {
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    message: &'a str,
    r#type: &'a str,
    code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_data: Option<Data<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_subcode: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_transient: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_user_title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_user_msg: Option<&'a str>,
    fbtrace_id: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    messaging_product: &'static str,
    details: &'a str,
}

impl GraphError {
    fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, subcode: None, kind: "OAuthException", message: message.into(), details: None, told: None }
    }

    fn details(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..self }
    }

    pub(super) fn no_token() -> Self {
        Self::new(401, 104, "An access token is required to request this resource.")
    }

    pub(super) fn bad_token() -> Self {
        Self::new(401, 190, "Invalid OAuth access token - Cannot parse access token")
    }

    pub(super) fn app_token_needed() -> Self {
        Self::new(400, 15, "(#15) This method must be called with an app access_token.")
    }

    /// An object that does not exist looks like one that may not be seen.
    pub(super) fn no_object(method: &Method, id: &str) -> Self {
        let verb = method.as_str().to_ascii_lowercase();
        let message = format!(
            "Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation. Please read the Graph API documentation at \
             https://developers.facebook.com/docs/graph-api"
        );
        Self { subcode: Some(33), kind: "GraphMethodException", ..Self::new(400, 100, message) }
    }

    pub(super) fn no_field(field: &str, node: &str) -> Self {
        Self::new(400, 100, format!("(#100) Tried accessing nonexisting field ({field}) on node type ({node})"))
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        Self::new(400, 2500, format!("Unknown path components: {path}"))
    }

    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self::new(400, 100, "(#100) Invalid parameter").details(details)
    }

    /// A parameter that the whole API requires, without which it does not look further.
    pub(super) fn required(name: &str) -> Self {
        Self::new(400, 100, format!("(#100) The parameter {name} is required."))
    }

    pub(super) fn missing(details: impl Into<String>) -> Self {
        Self::new(400, 131_008, "(#131008) Required parameter is missing").details(details)
    }

    pub(super) fn bad_value(details: impl Into<String>) -> Self {
        Self::new(400, 131_009, "(#131009) Parameter value is not valid").details(details)
    }

    pub(super) fn upload_failed() -> Self {
        Self::new(400, 131_053, "(#131053) Media upload error")
            .details("Media upload failed. Please use a file within the limit for its type.")
    }

    pub(super) fn unexpected_key(key: &str, param: &str) -> Self {
        Self::new(400, 100, format!("(#100) Unexpected key \"{key}\" on param \"{param}\"."))
    }

    pub(super) fn no_attachment(param: &str) -> Self {
        Self::invalid(format!("Param {param}['id'] is not a valid whatsapp business account media attachment ID"))
    }

    pub(super) fn same_number() -> Self {
        Self::new(400, 131_021, "(#131021) Recipient cannot be sender").details("Recipient cannot be sender")
    }

    pub(super) fn not_registered() -> Self {
        Self::new(400, 133_010, "(#133010) Account not registered").details("Account does not exist in Cloud API")
    }

    pub(super) fn callback_failed(why: &str) -> Self {
        Self::new(400, 2_200, format!("(#2200) Callback verification failed with the following errors: {why}"))
    }

    pub(super) fn wrong_pin() -> Self {
        Self::new(400, 133_005, "(#133005) Two step verification PIN Mismatch")
    }

    /// An id that could not be one of a file.
    pub(super) fn malformed_id() -> Self {
        Self::new(400, 100, "(#100) Invalid post_id parameter")
    }

    fn told(subcode: i64, title: &'static str, words: String) -> Self {
        Self {
            subcode: Some(subcode),
            told: Some(Box::new((title, words))),
            ..Self::new(400, 100, "Invalid parameter")
        }
    }

    pub(super) fn template_not_found(name: &str) -> Self {
        let words = format!("The message template {name} wasn't found for this account.");
        Self::told(2_593_002, "Message Template Not Found", words)
    }

    /// The subcode as public reports have it.
    pub(super) fn template_exists(name: &str, language: &str) -> Self {
        let words = format!("There is already {language} content for the message template {name}.");
        Self::told(2_388_024, "Content in This Language Already Exists", words)
    }

    pub(super) fn banned() -> Self {
        Self::new(403, 131_031, "(#131031) Business Account locked")
            .details("Business account has been locked or restricted from sending messages due to a policy violation.")
    }

    pub(super) fn no_template() -> Self {
        Self::new(404, 132_001, "(#132001) Template name does not exist in the translation")
    }

    pub(super) fn parameter_count(given: usize, wanted: usize) -> Self {
        let title = "(#132000) Number of parameters does not match the expected number of params";
        Self::new(400, 132_000, title).details(format!(
            "body: number of localizable_params ({given}) does not match the expected number of params ({wanted})"
        ))
    }

    pub(super) fn template_paused() -> Self {
        Self::new(400, 132_015, "(#132015) Template is paused")
    }

    pub(super) fn not_owner() -> Self {
        Self::new(400, 2_494_191, "(#2494191) This app does not control the thread")
    }

    pub(super) fn not_blocked() -> Self {
        Self::new(400, 139_100, "(#139100) Failed to block/unblock users")
    }

    pub(super) fn blocked_by_us() -> Self {
        Self::new(400, 130_403, "(#130403) You have blocked this user")
    }

    pub(super) fn throughput() -> Self {
        Self::new(429, 130_429, "(#130429) Rate limit hit").details(
            "Message failed to send because there were too many messages sent from this phone number in a short \
             period of time",
        )
    }

    pub(super) fn pair_rate() -> Self {
        Self::new(429, 131_056, "(#131056) (Business Account, Consumer Account) pair rate limit hit").details(
            "Message failed to send because there were too many messages sent from this phone number to the same \
             phone number in a short period of time",
        )
    }

    /// One of the three that ask to try again.
    pub(super) fn busy(which: usize) -> Self {
        match which {
            0 => Self::throughput(),
            1 => Self::pair_rate(),
            _ => Self::new(500, 131_000, "(#131000) Something went wrong")
                .details("Message failed to send due to an unknown error."),
        }
    }

    pub(super) fn body<'a>(&'a self, trace: &'a str) -> Body<'a> {
        Body {
            error: Error {
                message: &self.message,
                r#type: self.kind,
                code: self.code,
                error_data: self.details.as_deref().map(|details| Data { messaging_product: "whatsapp", details }),
                error_subcode: self.subcode,
                is_transient: self.told.as_ref().map(|_| false),
                error_user_title: self.told.as_deref().map(|(title, _)| *title),
                error_user_msg: self.told.as_deref().map(|(_, words)| words.as_str()),
                fbtrace_id: trace,
            },
        }
    }
}
