// opensearch-js as its guide shows it: helpers.bulk with 5 connections and 5 MB a bulk, lines parsed, then a refresh.
// node bulk.mjs MODULES URL INDEX FILE
import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [modules, node, index, file] = process.argv.slice(2)
const { Client } = createRequire(`${modules}/`)('@opensearch-project/opensearch')

async function * documents () {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) yield JSON.parse(line)
}

const began = process.hrtime.bigint()
const before = process.cpuUsage()
const client = new Client({ node })
const said = await client.helpers.bulk({
  datasource: documents(),
  onDocument: document => ({ index: { _index: index, _id: document.external_id } }),
  flushBytes: 5_000_000,
  concurrency: 5,
  refreshOnCompletion: index
})
const { user, system } = process.cpuUsage(before)
if (said.failed || said.aborted) throw new Error(JSON.stringify(said))
console.log(JSON.stringify({
  wall_s: Number(process.hrtime.bigint() - began) / 1e9,
  cpu_s: (user + system) / 1e6,
  peak_mb: process.resourceUsage().maxRSS / 1024
}))
