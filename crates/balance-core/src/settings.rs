//! Every setting of the gateway, in one table: names, type, default, doc line.
//!
//! Invariant: a [`Settings`] is valid by construction. A value that cannot be read is an error
//! naming the setting and the remedy, never a silent default.

mod limits;
mod platform;
mod preset;
mod streams;
mod value;

use std::{borrow::Cow, fmt};

pub use limits::ModelRateLimits;
pub use platform::{CallsFrom, Location};
pub use preset::SafetySettings;
pub use value::{
    AccessTokens, BaseUrl, Bounded, CallerKeys, Keys, LogFormat, Proxies, Seconds, Switch,
    UploadProvider, Value, WrongValue,
};

use balance_dialect::preset::{ModelMap, Patterns, PromptPlace, ThinkingMap};

use crate::pool::{KeyLimits, PaidModels, Strategy};
use crate::secret::Secret;

/// Where settings are read from, by name: the environment, a file, a map in a test.
pub trait Strings {
    /// The value under this name, if it is set. Names are upper case, as in the environment.
    fn value(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Strings for F {
    fn value(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// One line of the table, for documentation, forms and tests.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The names it is read under, strongest first; the first one is its own, the others are kept
    /// so that an existing deployment moves without edits.
    pub names: &'static [&'static str],
    /// What a value looks like.
    pub kind: &'static str,
    /// The default, written as a user would write it.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Whether values of it may be shown.
    pub secret: bool,
}

/// A setting that cannot be used, as a line for the operator.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongSetting {
    /// The name it was given under.
    pub name: &'static str,
    /// What is wrong and what is wanted. Never quotes the value of a secret.
    pub reason: String,
}

impl fmt::Display for WrongSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

impl std::error::Error for WrongSetting {}

macro_rules! settings {
    ($( $(#[doc = $doc:literal])+
        $field:ident: $type:ty = $default:literal, [$($name:literal),+] $(, $secret:ident)?;
    )+) => {
        /// The settings, read and checked.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $( $(#[doc = $doc])+ pub $field: $type, )+
            /// Where an operator sets all this on the platform at hand, in a few words for errors;
            /// none where there are several places. No setting itself: adapters tell it.
            pub place: &'static str,
        }

        impl Settings {
            /// Reads every setting from `source`.
            ///
            /// # Errors
            /// All settings whose value cannot be used, so that one start shows them all.
            pub fn read(source: &dyn Strings) -> Result<Self, Vec<WrongSetting>> {
                let mut reader = Reader { source, wrong: Vec::new() };
                // Each is read into its place, as moving them there is more code than all else here.
                let mut settings = Self { $( $field: <$type>::default(), )+ place: "" };
                $( reader.read(&mut settings.$field, &(&[$($name),+], $default)); )+
                if reader.wrong.is_empty() { Ok(settings) } else { Err(reader.wrong) }
            }
        }

        /// The names of each setting, strongest first: what a reader needs of the table.
        pub(crate) const NAMES: &[&[&str]] = &[ $( &[$($name),+], )+ ];

        /// The table.
        pub const ROWS: &[Row] = &[ $( Row {
            names: &[$($name),+],
            kind: <$type as Value>::KIND,
            default: $default,
            doc: concat!($($doc),+),
            secret: false $(|| stringify!($secret).len() > 0)?,
        }, )+ ];
    };
}

settings! {
    /// Address that the server listens on.
    host: String = "0.0.0.0", ["HOST"];
    /// Port that the server listens on; 0 takes a free one.
    port: Bounded<0, 65_535> = "8000", ["PORT"];
    /// The pool: Gemini keys, by commas or as a JSON list. In a list, an item is a key or an object
    /// with `key`, `weight` (1 to 1000), `project` (keys of one project share its quota), `tier`
    /// (`free`, `paid`) and `enabled`.
    api_keys: Keys = "", ["API_KEYS", "GEMINI_API_KEYS", "BACKUP_API_KEYS"], secret;
    /// Tokens that may call the pool, by commas or as a JSON list; `sha256:` and 64 hex digits
    /// stand for a token whose text is kept elsewhere.
    access_tokens: AccessTokens = "", ["ACCESS_TOKENS", "ALLOWED_TOKENS", "TRUSTED_API_KEYS", "AUTH_KEY"], secret;
    /// Whether callers may bring Gemini keys of their own: `auto` (only while the pool is empty),
    /// `always` or `never`.
    caller_keys: CallerKeys = "auto", ["CALLER_KEYS", "FORWARD_CLIENT_KEY_ENABLED"];
    /// Lets anyone use the pool, without a token.
    open_pool: Switch = "false", ["OPEN_POOL"];
    /// Where Gemini is, with or without `/v1beta` at its end.
    base_url: BaseUrl = "https://generativelanguage.googleapis.com", ["BASE_URL"];
    /// The address that callers reach this server at, for upload links; empty takes it from each
    /// request's `Host`.
    public_url: Option<BaseUrl> = "", ["PUBLIC_URL", "RENDER_EXTERNAL_URL"];
    /// How a key is picked: `balanced`, `round-robin`, `least-used`, `random`, `weighted`,
    /// `time-window` or `fill-first`.
    strategy: Strategy = "balanced", ["STRATEGY", "LOAD_BALANCE_STRATEGY"];
    /// The most requests a minute to a model, for each project that nothing better is known of;
    /// empty waits for Google to say so.
    default_rpm: Option<Bounded<1, 1_000_000_000_000>> = "", ["DEFAULT_RPM"];
    /// The most requests a day, likewise. Days begin at midnight in Los Angeles.
    default_rpd: Option<Bounded<1, 1_000_000_000_000>> = "", ["DEFAULT_RPD"];
    /// The most tokens sent a minute, likewise.
    default_tpm: Option<Bounded<1, 1_000_000_000_000>> = "", ["DEFAULT_TPM"];
    /// The same for single models: `{"gemini-3.8-flash": [rpm, rpd, tpm]}`. Tokens may be left out,
    /// and `null` stands for no limit.
    model_rate_limits: ModelRateLimits = "", ["MODEL_RATE_LIMITS"];
    /// The same for single keys, which then holds for their projects: `{"90123456": [rpm, rpd, tpm]}`,
    /// by the last eight characters of the key.
    key_rate_limits: KeyLimits = "", ["KEY_RATE_LIMITS"], secret;
    /// Whether a limit that Google names to one project is presumed of all others of its tier, until
    /// they are served more. When no other key is ready, they are asked for more, one each second; or
    /// not at all where instances share the keys.
    projects_alike: Switch = "true", ["PROJECTS_ALIKE"];
    /// Whether keys that no `project` is given of are grouped by project where Google's answers tell
    /// that they share one: by its number in an error, or because they are refused together.
    infer_projects: Switch = "true", ["INFER_PROJECTS"];
    /// How often keys that are out are checked, in hours, with a question that costs nothing; 0 means
    /// never. Leaked keys are never asked again.
    check_interval_hours: Bounded<0, 8_760> = "1", ["CHECK_INTERVAL_HOURS"];
    /// How many instances use the same keys. Where they reach no common store, each uses its even part of
    /// every quota that is known.
    instances: Bounded<1, 10_000> = "1", ["INSTANCES"];
    /// The Redis or Valkey that all instances reach (`redis://`, `rediss://`, user, password and number
    /// of the database allowed), by which they share quotas and what they learn. Keys are not shown to it.
    redis_url: Option<Secret> = "", ["REDIS_URL"], secret;
    /// What the names of everything that is kept there begin with. Instances of one prefix share.
    redis_prefix: String = "gemini-balance", ["REDIS_PREFIX"];
    /// The models that keys of the tier `paid` serve, once no free key is ready; by commas or as a
    /// JSON list, and a `*` at the end stands for any ending. Empty means all.
    paid_models: PaidModels = "", ["PAID_MODELS"];
    /// How many keys one request may try; 0 and 1 both mean one.
    attempts: Bounded<0, 100> = "30", ["ATTEMPTS", "MAX_RETRIES"];
    /// How long a stream may take to its first content, per try.
    first_byte: Seconds = "45", ["FIRST_BYTE_SECONDS"];
    /// How long a running answer may be silent before it counts as broken.
    idle: Seconds = "120", ["IDLE_SECONDS"];
    /// How long a request may take, all tries together, until its answer starts. An answer that is
    /// not streamed starts when the model has finished.
    deadline: Seconds = "300", ["DEADLINE_SECONDS", "TIME_OUT"];
    /// How many seconds a request may wait in line for a key, first come, first served, while every
    /// key's quota is used up; 0 answers 429 at once. A caller of an event stream hears from us while
    /// it waits.
    queue: Bounded<0, 3600> = "30", ["QUEUE_SECONDS"];
    /// Goes on with a stream that breaks off: another key is shown the text so far and asked for the
    /// rest. A stream with a call of a tool or with media in it, a document of JSON, and several
    /// answers at once end with an error as before.
    stream_resume: Switch = "false", ["STREAM_RESUME"];
    /// Of a hundred streams, how many may be asked of a second key, of another project with room to
    /// spare, when they are slower to begin than 95 of a hundred; 0 for none. Who answers first counts.
    hedge_percent: Bounded<0, 100> = "0", ["HEDGE_PERCENT"];
    /// How many calls one request may make upstream, all tries together; 0 for as many as it takes.
    /// Platforms that count them say how many there are: 50 on Cloudflare's free plan.
    calls_per_request: Bounded<0, 10_000> = "0", ["CALLS_PER_REQUEST"];
    /// Tells each caller in `x-gemini-balance-way` which keys were tried, by name, and what became of
    /// it; and in `x-gemini-balance-pool`, as JSON, how the pool stands for the model then: its best
    /// keys, why each is passed over, what is used of their quotas, and when the next is ready.
    explain_header: Switch = "false", ["EXPLAIN_HEADER"];
    /// Opens `/api/explain`, which tells how each key stands for a model; `sha256:` and 64 hex digits
    /// stand for a token whose text is kept elsewhere. Without one it does not exist.
    admin_token: AccessTokens = "", ["ADMIN_TOKEN", "AUTH_TOKEN", "HOME_ACCESS_KEY"], secret;
    /// The largest request body that is read. Streamed uploads are not limited by it.
    max_body_bytes: Bounded<1, 4_294_967_296> = "104857600", ["MAX_BODY_BYTES"];
    /// The largest file that is fetched for a request that names its address.
    remote_max_bytes: Bounded<1, 4_294_967_296> = "20971520", ["REMOTE_MAX_BYTES"];
    /// How long fetching one such file may take.
    remote_time: Seconds = "20", ["REMOTE_SECONDS"];
    /// Lets callers have files fetched from private addresses too, this machine's included. Only
    /// for a server whose callers are all trusted.
    remote_private: Switch = "false", ["REMOTE_PRIVATE"];
    /// Keys that make pictures (`/images/…`) for callers of the pool, as Imagen and many models that
    /// draw are for paid keys only. Empty takes the pool's.
    paid_key: Keys = "", ["PAID_KEY"], secret;
    /// The model that draws where a request names one of OpenAI's, or none.
    images_model: String = "gemini-3.1-flash-image", ["IMAGES_MODEL", "CREATE_IMAGE_MODEL"];
    /// The model that speaks, likewise.
    speech_model: String = "gemini-2.5-flash-preview-tts", ["SPEECH_MODEL", "TTS_MODEL"];
    /// Who speaks where a request does not say: a voice of Gemini's or of OpenAI's.
    speech_voice: String = "alloy", ["SPEECH_VOICE", "TTS_VOICE_NAME"];
    /// The model that writes recordings down, likewise.
    transcription_model: String = "gemini-flash-latest", ["TRANSCRIPTION_MODEL"];
    /// Who keeps pictures, so that answers have their addresses: `smms`, `picgo`,
    /// `cloudflare_imgbed` or `aliyun_oss`. Without it, or its credential, pictures are in the answer.
    upload_provider: Option<UploadProvider> = "", ["UPLOAD_PROVIDER"];
    /// The token of SM.MS.
    smms_token: Option<Secret> = "", ["SMMS_SECRET_TOKEN"], secret;
    /// Where SM.MS is, if not at its own address.
    smms_url: Option<BaseUrl> = "", ["SMMS_URL"];
    /// The key of PicGo, or of one's own Chevereto.
    picgo_key: Option<Secret> = "", ["PICGO_API_KEY"], secret;
    /// Where PicGo is.
    picgo_url: BaseUrl = "https://www.picgo.net/api/1/upload", ["PICGO_API_URL"];
    /// Where one's own Cloudflare ImgBed takes files.
    imgbed_url: Option<BaseUrl> = "", ["CLOUDFLARE_IMGBED_URL"];
    /// Its code.
    imgbed_code: Option<Secret> = "", ["CLOUDFLARE_IMGBED_AUTH_CODE"], secret;
    /// The folder in it.
    imgbed_folder: String = "", ["CLOUDFLARE_IMGBED_UPLOAD_FOLDER"];
    /// Where Aliyun's storage is, such as `oss-cn-hangzhou.aliyuncs.com`.
    oss_endpoint: String = "", ["OSS_ENDPOINT"];
    /// The bucket; its pictures can be read by everybody.
    oss_bucket: String = "", ["OSS_BUCKET_NAME"];
    /// The region, if the endpoint does not tell.
    oss_region: String = "", ["OSS_REGION"];
    /// Who writes to it.
    oss_key: Option<Secret> = "", ["OSS_ACCESS_KEY"], secret;
    /// Its secret.
    oss_secret: Option<Secret> = "", ["OSS_ACCESS_KEY_SECRET"], secret;
    /// Proxies to reach upstream by (`http://`, `https://`, `socks5://`, user and password
    /// allowed), by commas or as a JSON list.
    proxies: Proxies = "", ["PROXIES"], secret;
    /// Ties each key to one proxy, by consistent hashing; otherwise each request takes one by
    /// chance.
    proxies_by_key: Switch = "true", ["PROXIES_BY_KEY", "PROXIES_USE_CONSISTENCY_HASH_BY_API_KEY"];
    /// How many keys `/verify` checks at the same time.
    verify_concurrency: Bounded<1, 256> = "8", ["VERIFY_CONCURRENCY"];
    /// Which model stands behind a name: `{"gpt-4o": "gemini-2.5-pro"}`. In a name `*` stands for any
    /// letters, and `*` alone for every name that is none of Google's. Names of OpenAI's models stand
    /// for Google's latest ones unless they are in it; `off` takes every name as it is.
    model_map: ModelMap = "", ["MODEL_MAP"];
    /// The models that `-search` (or `:search`) may stand behind, which adds Google Search. In this and
    /// the lists below `*` stands for any letters, and those named in full are in the list of models
    /// with the suffix. Suffixes may be put together.
    search_models: Patterns = "gemini-*,gemini-2.5-flash,gemini-2.5-pro,gemini-flash-latest,gemini-pro-latest", ["SEARCH_MODELS"];
    /// The models that `-image` may stand behind, which asks for pictures beside the text.
    image_models: Patterns = "gemini-2.0-flash-exp,gemini-2.5-flash-image-preview", ["IMAGE_MODELS"];
    /// The models that `-thinking` (think, and show it) and `-non-thinking` (as little as the model
    /// can) may stand behind.
    thinking_models: Patterns = "gemini-*,gemini-2.5-flash,gemini-2.5-pro,gemini-flash-latest,gemini-pro-latest", ["THINKING_MODELS"];
    /// The models that are neither listed nor answered.
    filtered_models: Patterns = "", ["FILTERED_MODELS"];
    /// Whether answers in OpenAI's dialect name the model that gave them, or else the name that was
    /// asked for.
    answer_real_model: Switch = "false", ["ANSWER_REAL_MODEL"];
    /// How much models think where the request does not say so, in tokens or by effort:
    /// `{"gemini-2.5-flash": 4000, "gemini-3*": "low"}`. Each is told in the way of its family.
    thinking_budget_map: ThinkingMap = "", ["THINKING_BUDGET_MAP"];
    /// Whether thoughts come back where that map or a suffix says how much is thought.
    show_thoughts: Switch = "true", ["SHOW_THOUGHTS", "SHOW_THINKING_PROCESS"];
    /// Whether the links of an answer's sources stand at the end of its text, for clients that show no
    /// `annotations`.
    show_sources: Switch = "false", ["SHOW_SOURCES", "SHOW_SEARCH_LINK"];
    /// Google's `safetySettings` for requests that have none of their own; empty leaves Google's
    /// defaults.
    safety_settings: SafetySettings = "", ["SAFETY_SETTINGS"];
    /// Whether models may run code, where that goes together with the request.
    code_execution: Switch = "false", ["CODE_EXECUTION", "TOOLS_CODE_EXECUTION_ENABLED"];
    /// Whether models may read the pages whose addresses are in the prompt, likewise,
    url_context: Switch = "false", ["URL_CONTEXT", "URL_CONTEXT_ENABLED"];
    /// and which.
    url_context_models: Patterns = "gemini-*", ["URL_CONTEXT_MODELS"];
    /// Words that are said in each conversation,
    inject_prompt: String = "", ["INJECT_PROMPT", "INJECT_PROMPT_CONTENT"];
    /// and where: before the instructions (`system`), or before or behind the user's last words
    /// (`user_prefix`, `user_suffix`).
    inject_prompt_position: PromptPlace = "system", ["INJECT_PROMPT_POSITION"];
    /// Makes streams of answers that are asked for as a whole, with signs of life while the model works.
    /// Then errors come inside the stream, too.
    fake_stream: Switch = "false", ["FAKE_STREAM", "FAKE_STREAM_ENABLED"];
    /// Of which models.
    fake_stream_models: Patterns = "*", ["FAKE_STREAM_MODELS"];
    /// The time between these signs of life.
    fake_stream_heartbeat: Seconds = "5", ["FAKE_STREAM_HEARTBEAT_SECONDS", "FAKE_STREAM_EMPTY_DATA_INTERVAL_SECONDS"];
    /// Gives the texts of event streams at the pace of somebody who types. It looks nicer, and takes
    /// longer.
    stream_optimizer: Switch = "false", ["STREAM_OPTIMIZER", "STREAM_OPTIMIZER_ENABLED"];
    /// The seconds behind each piece of a long text,
    stream_min_delay: Seconds = "0.016", ["STREAM_MIN_DELAY"];
    /// and of a short one; in between, the longer the text, the less.
    stream_max_delay: Seconds = "0.024", ["STREAM_MAX_DELAY"];
    /// The most letters of a short text,
    stream_short_text_threshold: Bounded<1, 1_000_000> = "10", ["STREAM_SHORT_TEXT_THRESHOLD"];
    /// and the least of a long one. Texts that are not long come letter by letter,
    stream_long_text_threshold: Bounded<1, 1_000_000> = "50", ["STREAM_LONG_TEXT_THRESHOLD"];
    /// long ones in pieces of so many letters.
    stream_chunk_size: Bounded<1, 1_000_000> = "5", ["STREAM_CHUNK_SIZE"];
    /// Asks this server for its health now and then, at `PUBLIC_URL`, so that a host that stops
    /// servers which nobody asks leaves it running. For a server of its own only.
    keep_awake: Switch = "false", ["KEEP_AWAKE", "ENABLE_KEEP_ALIVE"];
    /// The minutes in between.
    keep_awake_minutes: Bounded<1, 1_440> = "10", ["KEEP_AWAKE_MINUTES", "KEEP_ALIVE_INTERVAL"];
    /// Streams answers on AWS Lambda; to be set where what stands before the function streams: a
    /// function URL with the invoke mode `RESPONSE_STREAM`.
    lambda_stream: Switch = "false", ["LAMBDA_STREAM"];
    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or a filter by module.
    log_level: String = "info", ["LOG_LEVEL"];
    /// How it is logged: `text` or `json`.
    log_format: LogFormat = "text", ["LOG_FORMAT"];
    /// Who on Cloudflare calls Gemini: `object`, the one place where the pool lives, which Gemini serves
    /// wherever the callers are; or `worker`, whatever place is next to a caller.
    calls_from: CallsFrom = "object", ["CLOUDFLARE_CALLS_FROM"];
    /// Where on Cloudflare the pool lives, and Gemini is called from: `wnam`, `enam`, `sam`, `weur`,
    /// `eeur`, `apac`, `oc`, `afr` or `me`; `any` for near its first caller. Another place begins with
    /// nothing learned.
    location: Location = "wnam", ["CLOUDFLARE_LOCATION"];
    /// The file that a generated access token is remembered in, as a hash.
    state_file: String = "gemini-balance-state.json", ["STATE_FILE"];
}

/// The names of a setting, strongest first, and its default.
type Named = (&'static [&'static str], &'static str);

/// Reads settings one by one, and notes those that cannot be read.
struct Reader<'s> {
    source: &'s dyn Strings,
    wrong: Vec<WrongSetting>,
}

impl Reader<'_> {
    /// Reads one setting into its place, and leaves that as it is where the text cannot be read.
    fn read<T: Value>(&mut self, place: &mut T, named: &'static Named) {
        let (name, text) = self.given(named);
        match T::parse(text.trim()) {
            Ok(value) => *place = value,
            Err(WrongValue(reason)) => self.wrong.push(WrongSetting { name, reason }),
        }
    }

    /// The text of a setting, and the name that it was given under. An empty value means "not set", as
    /// deployment pages fill in empty fields.
    fn given(&self, (names, default): &'static Named) -> (&'static str, Cow<'static, str>) {
        let value = |name| self.source.value(name).filter(|text| !text.trim().is_empty());
        let given = names.iter().find_map(|name| value(name).map(|text| (*name, text.into())));
        given.unwrap_or_else(|| (names.first().copied().unwrap_or(""), (*default).into()))
    }
}

#[cfg(test)]
mod tests;
