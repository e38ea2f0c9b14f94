// The steps of test_clients.py, performed by the official package for Node.
import Stripe from "stripe";

const [, , address] = process.argv;
const { hostname, port } = new URL(address);
const stripe = new Stripe("sk_test_node", { host: hostname, port, protocol: "http", telemetry: false });
const start = Date.UTC(2026, 0, 1) / 1000;

const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start });
const customer = await stripe.customers.create({ email: "jenny@example.com", test_clock: clock.id });
const card = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } });
const price = await stripe.prices.create({
  currency: "usd", unit_amount: 2900, recurring: { interval: "month" }, product_data: { name: "Gold" },
});
const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id, quantity: 2 }] });
const results = [["started", subscription.status]];
await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: Date.UTC(2026, 1, 1, 1) / 1000 });
const invoiceTotals = async () => {
  const totals = [];
  for await (const invoice of stripe.invoices.list({ subscription: subscription.id, limit: 1 })) {
    totals.push([invoice.status, invoice.total, invoice.amount_paid]);
  }
  return totals;
};
results.push(["renewed", await invoiceTotals()]);
const bad = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: customer.id });
await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: bad.id } });
await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: Date.UTC(2026, 2, 1, 1) / 1000 });
results.push(["failed", (await stripe.subscriptions.retrieve(subscription.id)).status, await invoiceTotals()]);
const [latest] = (await stripe.invoices.list({ subscription: subscription.id, limit: 1 })).data;
try {
  await stripe.invoices.pay(latest.id);
} catch (error) {
  results.push(["declined", error.type, error.code, error.decline_code]);
}
await stripe.invoices.pay(latest.id, { payment_method: card.id });
results.push(["paid", (await stripe.subscriptions.retrieve(subscription.id)).status]);
const [charge] = (await stripe.charges.list({ customer: customer.id, limit: 1 })).data;
const refund = await stripe.refunds.create({ charge: charge.id, amount: 1000 });
results.push(["refunded", refund.status, refund.amount, (await stripe.charges.retrieve(charge.id)).amount_refunded]);
const portal = await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: "https://example.com" });
results.push(["portal", portal.url.startsWith(address)]);
results.push(["events", (await stripe.events.list({ type: "invoice.*", limit: 100 })).data.map((event) => event.type).reverse()]);
console.log(JSON.stringify(results));
