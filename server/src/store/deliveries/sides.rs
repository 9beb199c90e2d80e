//! Whose arrivals are: customers found by the names that a webhook gives, made where nobody goes by them yet,
//! and made one where a payload proves that two are.

use std::collections::{BTreeMap, HashMap, HashSet};

use baton_shared::{CustomerId, Ids, Micros};

use super::{Arrival, Moment, Side, StoreError, Tx, moves};
use crate::{
    domain::identity::{self, PhoneOf, Verdict},
    store::{
        customers::{self, Alias, AliasKind, Customer, Key, Known},
        mergers,
    },
};

/// Whose arrivals are.
pub(super) struct Found<'a> {
    /// Those that were not known to be repeats.
    pub(super) arrivals: Vec<&'a Arrival>,
    /// Whose each is.
    pub(super) sides: Vec<Side>,
    /// Customers with a phone number that was somebody else's before: networks give them out again.
    pub(super) recycled: HashSet<CustomerId>,
    /// Customers whom somebody has blocked: what they say is kept, and no answer is owed.
    pub(super) blocked: HashSet<CustomerId>,
}

/// Whose each arrival is, in their order.
pub(super) async fn find<'a>(
    tx: &mut Tx,
    mut arrivals: Vec<&'a Arrival>,
    at: Moment,
    ids: &Ids,
) -> Result<Found<'a>, StoreError> {
    let names = arrivals.iter().flat_map(|one| names_of(one).chain(new_name_of(one)));
    let known = customers::find(tx.conn(), names.collect::<HashSet<_>>()).await?;
    let mut finding = Finding::among(&known);
    let unsettled: Vec<&Arrival> = arrivals.iter().filter(|one| !finding.is_settled(one)).copied().collect();
    if !unsettled.is_empty() {
        // What was said before a name went to another customer, and is said again, must not bring it back.
        let repeats = super::known(tx, &unsettled).await?;
        arrivals.retain(|one| !repeats.contains(&one.wamid));
    }
    let arrivals = arrivals;
    for arrival in &arrivals {
        finding.one(tx, arrival, at.now, ids).await?;
    }
    let Finding { mut sides, new, aliases, pairs, recycled, .. } = finding;
    customers::insert_all(tx, &new).await?;
    for alias in &recycled {
        tracing::warn!(customer = %alias.customer, "a phone number was another customer's before");
    }
    let fresh = aliases.values().filter(|(_, before)| before.is_none()).map(|(alias, _)| alias.clone());
    customers::insert_aliases(tx, &fresh.collect::<Vec<_>>()).await?;
    for (alias, before) in aliases.values() {
        let Some(before) = before else { continue };
        customers::put_alias(tx, alias).await?;
        // Written in another way until now.
        if before.value != alias.value {
            customers::drop_alias(tx, before).await?;
        }
    }
    for (kept, gone) in pairs {
        mergers::merge(tx, kept, gone, at, ids).await?;
    }
    moves::follow(tx, &arrivals, &mut sides, at, ids).await?;
    rename(tx, &arrivals, &sides, &known).await?;
    let blocked = known.iter().filter(|one| one.blocked_at.is_some()).map(|one| one.alias.customer).collect();
    let recycled = recycled.into_iter().map(|alias| alias.customer).collect();
    Ok(Found { arrivals, sides, blocked, recycled })
}

fn names_of(arrival: &Arrival) -> impl Iterator<Item = (&str, AliasKind, &str)> {
    let user = arrival.user_id.as_deref().map(|value| (arrival.scope.as_str(), AliasKind::User, value));
    let phone = arrival.phone.as_deref().map(|value| (arrival.scope.as_str(), AliasKind::Phone, value));
    user.into_iter().chain(phone)
}

/// What the customer goes by from now on, if it says so.
fn new_name_of(arrival: &Arrival) -> Option<(&str, AliasKind, &str)> {
    arrival.moved_to.as_ref().map(|(kind, value)| (arrival.scope.as_str(), *kind, value.as_str()))
}

/// What is known while the arrivals are gone through.
struct Finding {
    whose: HashMap<Key, Alias>,
    with_user_id: HashSet<CustomerId>,
    sides: Vec<Side>,
    new: Vec<Customer>,
    /// To be stored, each with what stood for it until now.
    aliases: BTreeMap<(AliasKind, String, String), (Alias, Option<Alias>)>,
    /// Who turned out to be one: who stays, who goes.
    pairs: Vec<(CustomerId, CustomerId)>,
    recycled: Vec<Alias>,
}

impl Finding {
    fn among(known: &[Known]) -> Self {
        let aliases = known.iter().map(|known| &known.alias);
        let whose = aliases.clone().map(|one| (one.key(), one.clone())).collect();
        let with_user_id = aliases.filter(|one| one.kind == AliasKind::User).map(|one| one.customer).collect();
        Self {
            whose,
            with_user_id,
            sides: Vec::new(),
            new: Vec::new(),
            aliases: BTreeMap::new(),
            pairs: Vec::new(),
            recycled: Vec::new(),
        }
    }

    async fn one(&mut self, tx: &mut Tx, arrival: &Arrival, now: Micros, ids: &Ids) -> Result<(), StoreError> {
        if let Some(group) = &arrival.group {
            self.sides.push(Side::Group(group.clone()));
            return Ok(());
        }
        if let Some(customer) = self.moved_already(arrival) {
            self.sides.push(Side::Customer(customer));
            return Ok(());
        }
        let by_user = self.known(arrival, AliasKind::User, arrival.user_id.as_deref());
        let by_phone = self.known(arrival, AliasKind::Phone, arrival.phone.as_deref());
        let (customer, phone) = match identity::who(arrival.user_id.is_some(), by_user, by_phone) {
            Verdict::New => (self.make(arrival, now, ids), PhoneOf::Recycled),
            Verdict::Is { customer, phone } => (customer, phone),
            // A person knows better than the payload.
            Verdict::AreOne { kept, gone } if mergers::were_split(tx.conn(), kept, gone).await? => {
                self.sides.push(Side::Customer(kept));
                return Ok(());
            }
            Verdict::AreOne { kept, gone } => {
                self.become_one(kept, gone);
                (kept, PhoneOf::Theirs)
            }
        };
        if let Some(user_id) = &arrival.user_id {
            self.with_user_id.insert(customer);
            self.goes_by(arrival, AliasKind::User, user_id, customer);
        }
        if let Some(number) = &arrival.phone {
            let before = self.goes_by(arrival, AliasKind::Phone, number, customer);
            if phone == PhoneOf::Recycled && before.is_some_and(|before| before != customer) {
                let scope = arrival.scope.clone();
                self.recycled.push(Alias { scope, kind: AliasKind::Phone, value: number.clone(), customer });
            }
        }
        self.sides.push(Side::Customer(customer));
        Ok(())
    }

    fn known(&self, arrival: &Arrival, kind: AliasKind, name: Option<&str>) -> Option<identity::Known<CustomerId>> {
        let customer = self.whose.get(&Key::new(&arrival.scope, kind, name?))?.customer;
        Some(identity::Known { customer, has_user_id: self.with_user_id.contains(&customer) })
    }

    fn moved_already(&self, arrival: &Arrival) -> Option<CustomerId> {
        let (kind, new) = arrival.moved_to.as_ref()?;
        let whose = |kind, name| self.known(arrival, kind, name).map(|known| known.customer);
        let by_user = whose(AliasKind::User, arrival.user_id.as_deref());
        let by_phone = whose(AliasKind::Phone, arrival.phone.as_deref());
        let (by_old, by_other) = match kind {
            AliasKind::User => (by_user, by_phone),
            AliasKind::Phone => (by_phone, by_user),
        };
        identity::moved_already(by_old, whose(*kind, Some(new)), by_other)
    }

    /// Whether all that it says of who somebody is was known before.
    fn is_settled(&self, arrival: &Arrival) -> bool {
        let mut whose = names_of(arrival).map(|(scope, kind, name)| self.whose.get(&Key::new(scope, kind, name)));
        let first = whose.next().flatten().map(|alias| alias.customer);
        let same = first.is_some() && whose.all(|alias| alias.map(|alias| alias.customer) == first);
        arrival.moved_to.is_none() && (arrival.group.is_some() || same)
    }

    fn make(&mut self, arrival: &Arrival, now: Micros, ids: &Ids) -> CustomerId {
        let id: CustomerId = ids.next(now);
        let name = arrival.name.clone().unwrap_or_default();
        self.new.push(Customer { id, name, username: arrival.username.clone(), created_at: now, blocked_at: None });
        id
    }

    fn become_one(&mut self, kept: CustomerId, gone: CustomerId) {
        self.pairs.push((kept, gone));
        self.whose.values_mut().filter(|name| name.customer == gone).for_each(|name| name.customer = kept);
        for side in self.sides.iter_mut().filter(|side| **side == Side::Customer(gone)) {
            *side = Side::Customer(kept);
        }
    }

    /// The customer goes by this name from now on, as it was received; whose it was before.
    fn goes_by(&mut self, arrival: &Arrival, kind: AliasKind, name: &str, customer: CustomerId) -> Option<CustomerId> {
        let alias = Alias { scope: arrival.scope.clone(), kind, value: name.to_owned(), customer };
        let before = self.whose.insert(alias.key(), alias.clone());
        let whose = before.as_ref().map(|before| before.customer);
        if before.as_ref() != Some(&alias) {
            self.aliases.insert((kind, alias.scope.clone(), alias.value.clone()), (alias, before));
        }
        whose
    }
}

/// People change their names; the newest one counts.
async fn rename(tx: &mut Tx, arrivals: &[&Arrival], sides: &[Side], known: &[Known]) -> Result<(), StoreError> {
    let called: HashMap<CustomerId, (&str, Option<&str>)> =
        known.iter().map(|one| (one.alias.customer, (one.name.as_str(), one.username.as_deref()))).collect();
    let mut names = BTreeMap::new();
    for (arrival, side) in arrivals.iter().zip(sides) {
        // What the business said names the business, not its customer.
        if let (Side::Customer(customer), Some(name)) = (side, &arrival.name)
            && !arrival.by_business
            && called.contains_key(customer)
        {
            names.insert(*customer, (name.as_str(), arrival.username.as_deref()));
        }
    }
    names.retain(|customer, name| called.get(customer) != Some(name));
    customers::rename_all(tx, &names).await
}
