// node-quickbooks and intuit-oauth, unmodified, against a running emulator: node-clients.mjs <base address>
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(`${process.cwd()}/`)
const OAuthClient = require('intuit-oauth')
const QuickBooks = require('node-quickbooks')

const base = process.argv[2]
const redirect = 'http://localhost:8000/callback'
const verifier = 'node-verifier'
const said = (text) => console.log(`ok  ${text}`)

async function control(path, body, method = 'POST') {
  const answer = await fetch(`${base}/_emulator/${path}`, { method, body: JSON.stringify(body ?? {}) })
  assert.equal(answer.status, 200, await answer.clone().text())
  return answer.json()
}

// Sign in, choose the company, allow: what a person does with the address that the client made.
async function consent(address, realm) {
  const asked = Object.fromEntries(new URL(address).searchParams)
  const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  const person = { query: new URLSearchParams(asked).toString(), email: 'bookkeeper@example.com', password: 'emulator' }
  const signedIn = await fetch(`${base}/connect/signin`, form(person))
  assert.equal(signedIn.status, 303)
  const cookie = signedIn.headers.get('set-cookie').split(';')[0]
  const allowed = form({ ...asked, realm, decision: 'authorize' })
  const answer = await fetch(`${base}/connect/oauth2`, { ...allowed, headers: { cookie } })
  assert.equal(answer.status, 303)
  return answer.headers.get('location')
}

async function connect(realm) {
  OAuthClient.authorizeEndpoint = `${base}/connect/oauth2`
  OAuthClient.tokenEndpoint = `${base}/oauth2/v1/tokens/bearer`
  OAuthClient.revokeEndpoint = `${base}/v2/oauth2/tokens/revoke`
  OAuthClient.userinfo_endpoint_sandbox = `${base}/v1/openid_connect/userinfo`
  OAuthClient.jwks_uri = `${base}/op/v1/jwks`
  const auth = new OAuthClient({
    clientId: 'emulator-client', clientSecret: 'emulator-secret', environment: 'sandbox', redirectUri: redirect,
  })
  const scope = [OAuthClient.scopes.Accounting, OAuthClient.scopes.OpenId, OAuthClient.scopes.Email]
  const location = await consent(auth.authorizeUri({ scope, state: 'node' }), realm)
  const given = (await auth.createToken(location)).getJson()
  assert.equal(given.expires_in, 3600)
  assert.equal(auth.getToken().realmId, realm)
  said('intuit-oauth: authorization code exchanged')
  assert.ok(await auth.validateIdToken())
  assert.equal((await auth.getUserInfo()).getJson().email, 'bookkeeper@example.com')
  said('intuit-oauth: id token verified by the published key, user read')
  const refreshed = (await auth.refresh()).getJson()
  assert.notEqual(refreshed.access_token, given.access_token)
  said('intuit-oauth: refreshed')
  return auth
}

function refused(name, error) {
  const fault = error.response?.data ?? error
  return Object.assign(new Error(`${name}: ${JSON.stringify(fault)} ${error.message ?? ''}`), { fault })
}

function books(auth, realm) {
  QuickBooks.V3_ENDPOINT_BASE_URL = `${base}/v3/company/`
  QuickBooks.TOKEN_URL = `${base}/oauth2/v1/tokens/bearer`
  QuickBooks.REVOKE_URL = `${base}/v2/oauth2/tokens/revoke`
  const { access_token: access, refresh_token: refresh } = auth.getToken()
  const client = new QuickBooks(
    'emulator-client', 'emulator-secret', access, false, realm, true, false, 75, '2.0', refresh)
  return (name, ...given) => new Promise((resolve, reject) => {
    client[name](...given, (error, answer) => {
      if (error) reject(refused(name, error))
      else resolve(answer)
    })
  })
}

async function sell(call) {
  const customer = await call('createCustomer', { DisplayName: "Zoë's Garden & Co (node)" })
  assert.equal(customer.SyncToken, '0')
  await assert.rejects(call('createCustomer', { DisplayName: customer.DisplayName }), ({ fault }) =>
    fault.Fault.Error[0].code === '6240')
  said('customer created; its name refused a second time')
  const item = await call('createItem', { Name: 'Advice', Type: 'Service', IncomeAccountRef: { value: '1' } })
  const invoice = await call('createInvoice', {
    CustomerRef: { value: customer.Id },
    Line: [{ Amount: 100.5, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: item.Id } } }],
  })
  assert.deepEqual([invoice.TotalAmt, invoice.Balance], [100.5, 100.5])
  said('item and invoice created')
  const found = await call('findInvoices', [{ field: 'CustomerRef', value: customer.Id }, { field: 'limit', value: 5 }])
  assert.deepEqual(found.QueryResponse.Invoice.map((each) => each.Id), [invoice.Id])
  const named = await call('findCustomers', { DisplayName: customer.DisplayName })
  assert.deepEqual(named.QueryResponse.Customer.map((each) => each.Id), [customer.Id])
  assert.equal((await call('findInvoices', { count: true })).QueryResponse.totalCount, 17)
  said('found by reference, by name with an apostrophe and an ampersand, and counted')
  const changed = await call('updateInvoice', { Id: invoice.Id, SyncToken: '0', sparse: true, PrivateNote: 'changed' })
  assert.deepEqual([changed.SyncToken, changed.PrivateNote, changed.TotalAmt], ['1', 'changed', 100.5])
  assert.equal((await call('getInvoice', invoice.Id)).PrivateNote, 'changed')
  assert.equal(Buffer.from(await call('getInvoicePdf', invoice.Id)).subarray(0, 5).toString(), '%PDF-')
  assert.equal((await call('sendInvoicePdf', invoice.Id, 'zoe@example.com')).EmailStatus, 'EmailSent')
  said('invoice updated, read, printed and sent')
  return { customer, invoice }
}

async function payAndVoid(call, { customer, invoice }) {
  const payment = await call('createPayment', {
    CustomerRef: { value: customer.Id }, TotalAmt: 100.5,
    Line: [{ Amount: 100.5, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
  })
  assert.equal((await call('getInvoice', invoice.Id)).Balance, 0)
  const empty = await call('voidPayment', { Id: payment.Id, SyncToken: payment.SyncToken, sparse: true })
  assert.deepEqual([empty.TotalAmt, empty.PrivateNote], [0, 'Voided'])
  assert.equal((await call('getInvoice', invoice.Id)).Balance, 100.5)
  said('invoice paid; payment voided, invoice open again')
  const { Invoice: gone } = await call('voidInvoice', invoice.Id)
  assert.deepEqual([gone.TotalAmt, gone.Balance, gone.PrivateNote], [0, 0, 'Voided - changed'])
  const stub = await call('deletePayment', payment.Id)
  assert.equal(stub.status ?? stub.Payment?.status, 'Deleted')
  said('invoice voided, payment deleted')
}

async function batchAndChanges(call, began, { invoice }) {
  const batch = await call('batch', [
    { bId: '1', operation: 'create', Customer: { DisplayName: 'Batch one (node)' } },
    { bId: '2', operation: 'create', Customer: { DisplayName: "Amy's Bird Sanctuary" } },
    { bId: '3', Query: 'select * from Invoice maxresults 2' },
  ])
  const [made, refused, asked] = batch.BatchItemResponse
  assert.equal(made.Customer.DisplayName, 'Batch one (node)')
  assert.equal(refused.Fault.Error[0].code, '6240')
  assert.equal(asked.QueryResponse.Invoice.length, 2)
  said('batch of a creation, a refusal and a query')
  const changes = await call('changeDataCapture', ['Invoice', 'Payment', 'Customer'], began)
  const [invoices, payments, customers] = changes.CDCResponse[0].QueryResponse
  assert.ok(invoices.Invoice.some((each) => each.Id === invoice.Id))
  assert.ok(payments.Payment.some((each) => each.status === 'Deleted'))
  assert.ok(customers.Customer.some((each) => each.Id === made.Customer.Id))
  said('changes told, the deletion among them')
}

async function hear() {
  const heard = []
  const server = createServer((request, answer) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      heard.push({ body: Buffer.concat(parts), signature: request.headers['intuit-signature'] })
      answer.end()
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  await control('webhooks', { url: `http://127.0.0.1:${server.address().port}/`, verifier_token: verifier })
  return { heard, server }
}

async function checkWebhooks({ heard, server }, { invoice }) {
  for (let left = 50; left && !heard.some(({ body }) => body.includes(`"${invoice.Id}"`)); left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(heard.some(({ body }) => body.includes(`"${invoice.Id}"`)), 'no notification of the invoice')
  for (const { body, signature } of heard) {
    assert.equal(createHmac('sha256', verifier).update(body).digest('base64'), signature)
  }
  server.close()
  server.closeAllConnections()
  said(`${heard.length} notifications, all signed`)
}

const [{ realm_id: realm }] = (await control('reset', { scenario: 'us-sample' })).companies
const began = new Date(Date.now() - 60_000)
const auth = await connect(realm)
const listening = await hear()
const call = books(auth, realm)
const sold = await sell(call)
await payAndVoid(call, sold)
await batchAndChanges(call, began, sold)
await checkWebhooks(listening, sold)
await auth.revoke()
await assert.rejects(call('getInvoice', sold.invoice.Id))
said('intuit-oauth: revoked, and the token is dead')
