// SPDX-License-Identifier: GPL-2.0
/*
 * The report's page: runs in JSON (schema faultline.run/1) become a headline, charts
 * and the tables behind them. The runs are in the page itself, put there by html.c;
 * colours are in style.css. Needs D3's modules for selections, scales and axes.
 */
"use strict";
(function () {

/*
 * In the order in which they come in an episode; what is in none comes last, as does
 * what a later faultline has.
 */
const KNOWN_CLASSES = ["inject", "reflect", "unsync", "pte-write", "invlpg", "refault",
	"fill", "cr", "mmio", "vmentry", "vmexit", "virt", "async", "other"];
const POLICIES = ["zap", "update", "bypass", "unsync", "prefault", "sticky", "prefault+sticky"];

const exact = d3.format(".3f");
const microseconds = ns => d3.format(ns < 99950 ? ".1f" : ",.0f")(ns / 1000);
const integer = d3.format(",d");
const signed = value => (value < 0 ? "\u2212" : "+") + exact(Math.abs(value));

/* ---- Data ---- */

const unique = list => Array.from(new Set(list));

/* The labels by which runs are told apart, but for those that `series` has. */
function groupName(run) {
	return [run.vendor, run.line, run.workload, run.paging].filter(word => word).join(" ");
}

function prepare(item) {
	const run = item.run, faults = run.guest_faults;
	const perFault = {};

	Object.keys(run.classes).forEach(name => {
		perFault[name] = faults ? (run.classes_in_episodes[name] || 0) / faults : 0;
	});
	return {
		run, source: item.source, episode: item.episode, group: groupName(run), perFault,
		exits: run.exits_per_guest_fault,
		mean: name => run.time_ns && run.time_ns[name] ? run.time_ns[name].mean : 0,
	};
}

const all = JSON.parse(document.getElementById("runs").textContent).map(prepare);
const CLASSES = unique(KNOWN_CLASSES.concat(...all.map(item => Object.keys(item.run.classes))));
const items = all.filter(item => item.exits !== null && item.run.guest_faults);
const hosts = all.filter(item => item.run.host_faults);

/* Runs with the same labels but for the policy, those of a group by policy. */
function groupRuns(list) {
	const rank = item => POLICIES.includes(item.run.policy) ? POLICIES.indexOf(item.run.policy) : POLICIES.length;

	return unique(list.map(item => item.group)).map(name => ({
		name, members: list.filter(item => item.group === name).sort((a, b) => rank(a) - rank(b)),
	}));
}

/* Runs of a group are called by what differs between runs: policy, file, number. */
function nameSeries() {
	const byPolicy = unique(all.map(item => item.run.policy)).length > 1;
	const bySource = unique(all.map(item => item.source)).length > 1;

	groupRuns(all).forEach(group => group.members.forEach((item, index) => {
		const name = [byPolicy || !bySource ? item.run.policy : "", bySource ? item.source : ""]
			.filter(word => word).join(" ");
		const before = group.members.slice(0, index).filter(other => other.plain === name).length;

		item.plain = name;
		item.series = before ? `${name} (${before + 1})` : name;
	}));
}

const groups = groupRuns(items);

/* The group that the page is about at first: the one with most to compare. */
function mainGroup() {
	const points = group => 10 * group.members.length + (/anon/.test(group.name) ? 2 : 0) +
		(/ 64$/.test(group.name) ? 1 : 0);

	return groups.reduce((best, group) => points(group) > points(best) ? group : best);
}

/* ---- Elements ---- */

const page = d3.select("#page");
const opened = new Set();	/* tables that are to be shown */
let chosen;

const color = name => `var(--${name}, var(--other))`;

function heading(text, explanation) {
	page.append("h2").text(text);
	if (explanation)
		page.append("p").attr("class", "faint").text(explanation);
}

function legend(parent, classes) {
	parent.append("div").attr("class", "legend").selectAll("span").data(classes)
		.enter().append("span").style("--c", color).text(name => name);
}

/* Columns are { name, word: whether it is text, of: item => value }. */
function table(parent, columns, rows) {
	const body = parent.append("div").attr("class", "scroll").append("table");
	const cells = (row, kind, of) => row.selectAll(kind).data(columns).enter().append(kind)
		.attr("class", column => column.word ? "word" : null).text(of);

	if (columns.some(column => column.name))
		cells(body.append("thead").append("tr"), "th", column => column.name);
	rows.forEach(item => cells(body.append("tr"), "td", column => column.of(item)));
}

/* The table behind a picture. */
function tableBehind(parent, key, columns, rows) {
	const details = parent.append("details").property("open", opened.has(key))
		.on("toggle", function () { opened[this.open ? "add" : "delete"](key); });

	details.append("summary").text("The figures as a table");
	table(details, columns, rows);
}

const labels = [
	{ name: "vendor", word: true, of: item => item.run.vendor },
	{ name: "line", word: true, of: item => item.run.line },
	{ name: "workload", word: true, of: item => item.run.workload },
	{ name: "paging", word: true, of: item => item.run.paging },
	{ name: "run", word: true, of: item => item.series },
];

const pageWidth = () => Math.max(260, page.node().clientWidth);

/* A picture of that height, as wide as the page. */
function picture(parent, height, label) {
	return parent.append("svg").attr("viewBox", `0 0 ${pageWidth()} ${height}`)
		.attr("height", height).attr("role", "img").attr("aria-label", label);
}

function caption(parent, text) {
	parent.append("figcaption").text(text);
}

/* ---- Stacked bars ---- */

/* Those of @names that any of @parts has. */
const used = (names, parts) => names.filter(name => parts.some(part => part[name] > 0));

const BAR = 22, HEADER = 26, RIGHT = 56;

/* Room for the longest label, but not for more than there is. */
function left(bars) {
	return Math.min(.4 * pageWidth(), Math.max(84, 12 + 7 * d3.max(bars, bar => bar.length)));
}

function drawLabel(svg, text, x, y) {
	const room = Math.floor((x - 12) / 7);

	svg.append("text").attr("x", x - 6).attr("y", y + 14).attr("text-anchor", "end")
		.text(text.length > room ? text.slice(0, room - 1) + "\u2026" : text)
		.append("title").text(text);
}

/*
 * Blocks are { header, bars }, and bars are { label, parts: by name, total }. Each
 * block is a picture of its own, for a page of paper to end between two. Returns the
 * figure.
 */
function stackedBars(title, blocks, format, names) {
	const bars = [].concat(...blocks.map(block => block.bars)), parent = page.append("figure");
	const x = d3.scaleLinear().domain([0, d3.max(bars, bar => bar.total) || 1])
		.range([left(bars.map(bar => bar.label)), pageWidth() - RIGHT]);

	legend(parent, used(names, bars.map(bar => bar.parts)));
	blocks.forEach(block => drawBlock(parent, block, x, format, names));
	picture(parent, 22, title).append("g").attr("class", "axis")
		.call(d3.axisBottom(x).ticks(pageWidth() / 90));
	caption(parent, title);
	return parent;
}

function drawBlock(parent, block, x, format, names) {
	const top = block.header ? HEADER : 0;
	const svg = picture(parent, top + BAR * block.bars.length + 2, block.header || "bars");

	if (block.header)
		svg.append("text").attr("x", 0).attr("y", 19).attr("font-weight", 600).text(block.header);
	block.bars.forEach((bar, index) => drawBar(svg, bar, top + BAR * index, x, format, names));
}

function drawBar(svg, bar, y, x, format, names) {
	let sum = 0;

	drawLabel(svg, bar.label, x(0), y);
	names.forEach(name => {
		const value = bar.parts[name] || 0;

		if (!value)
			return;
		svg.append("rect").attr("x", x(sum)).attr("y", y + 2).attr("height", 17)
			.attr("width", Math.max(.5, x(sum + value) - x(sum) - 1)).attr("fill", color(name))
			.append("title").text(`${bar.label}: ${name} ${format(value)}`);
		sum += value;
	});
	svg.append("text").attr("x", x(sum) + 5).attr("y", y + 14)
		.attr("font-weight", 600).text(format(bar.total));
}

/* ---- Headline ---- */

/* The class that makes most of the change from one run to another. */
function explanation(before, after) {
	const changes = CLASSES.map(name => ({ name, change: after.perFault[name] - before.perFault[name] }));
	const sum = d3.max(changes, entry => Math.abs(entry.change));

	return changes.filter(entry => sum && Math.abs(entry.change) > .05 * sum)
		.map(entry => `${entry.name} ${signed(entry.change)}`).join(", ");
}

/* From the first run of a group to its second, in all groups that have these two. */
function changesLike(before, after) {
	const find = (group, item) => group.members.find(member => member.series === item.series);

	return groups.filter(group => find(group, before) && find(group, after))
		.map(group => find(group, after).exits - find(group, before).exits);
}

function headline() {
	const members = mainGroup().members, before = members[0], after = members[1];
	const cards = page.append("div").attr("class", "cards");

	members.forEach(item => {
		const card = cards.append("div").attr("class", "card");

		card.append("small").text(item.series.replace(/\+/g, "+\u200b"));
		card.append("b").text(exact(item.exits));
		card.append("small").text("exits per guest fault");
	});
	if (!after) {
		page.append("p").text(`${integer(before.run.guest_faults)} guest faults of ${before.group}.`);
		return;
	}
	const changes = changesLike(before, after), text = page.append("p");

	text.append("strong").attr("class", "verdict").text(`${exact(before.exits)} \u2192 ${exact(after.exits)}: `);
	text.append("span").text(exact(before.exits) === exact(after.exits) ?
		`${after.series} takes as many exits as ${before.series}, for ${mainGroup().name}.` :
		`from ${before.series} to ${after.series}, for ${mainGroup().name}: ${explanation(before, after)}.`);
	if (changes.length > 1)
		text.append("span").text(` In all ${changes.length} combinations of vendor, line, workload and ` +
			`paging, the change is ${unique([d3.min(changes), d3.max(changes)].map(signed)).join(" to ")}.`);
}

function warnings() {
	const lost = all.filter(item => item.run.lost_events);
	const blind = all.filter(item => !items.includes(item));

	if (lost.length)
		page.append("p").attr("class", "warning")
			.text(`Events were lost in ${lost.length} of ${all.length} runs: their counts are too low.`);
	if (blind.length) {
		page.append("p").attr("class", "warning")
			.text(`${blind.length} of ${all.length} runs have no exits per guest fault, and are not in the charts.`);
		table(page, labels.slice(0, 4).concat([
			{ name: "policy", word: true, of: item => item.run.policy },
			{ name: "page tables", word: true, of: item => item.run.mmu },
			{ name: "exits", of: item => item.exits === null ? "not seen" : integer(item.run.exits_total) },
			{ name: "guest faults", of: item => integer(item.run.guest_faults) },
		]), blind);
	}
}

/* ---- Episodes ---- */

/* Who touches the page, and who writes the page table. */
function actors(episode) {
	return episode.steps.some(step => step.name === "reflect") ?
		{ touches: "the nested guest touches", writes: "its hypervisor, the guest, writes its table for it" } :
		{ touches: "the guest touches", writes: "the guest's handler writes its page table" };
}

/* What happens in an exit, in the words of docs/METHOD.md. */
function story(step, episode) {
	const fate = { zap: ", and clears the shadow entry", update: ", and updates the shadow entry" };
	const { touches, writes } = actors(episode);

	return {
		inject: `${touches} a page that isn't mapped; KVM delivers the fault to it`,
		reflect: `${touches} a page that isn't mapped for it; KVM tells its hypervisor`,
		unsync: `${writes}; KVM lets the table go out of sync`,
		"pte-write": `${writes}; KVM emulates the write` + (fate[episode.item.run.policy] || ""),
		invlpg: "the guest flushes its TLB entry",
		refault: `${touches} the page again; KVM fills the shadow entry in`,
	}[step] || "";
}

/* The exits of a guest fault as it is on average, in the order in which they come. */
function typicalSteps(item) {
	const count = name => Math.round(item.perFault[name]);
	const steps = [item.perFault.reflect > 0.5 ? "reflect" : "inject"];
	let writes = count("pte-write"), flushes = count("invlpg"), unsyncs = count("unsync");

	for (; unsyncs > 0; unsyncs--)
		steps.push("unsync");
	for (; writes > 0 || flushes > 0; writes--, flushes--) {
		if (writes > 0)
			steps.push("pte-write");
		if (flushes > 0)
			steps.push("invlpg");
	}
	if (count("refault"))
		steps.push("refault");
	return steps.map(name => ({ name, ns: item.mean(name) }));
}

/*
 * Where each exit is on the time axis. In between, the guest runs; if episodes weren't
 * recorded, for an equal time after each.
 */
function layOut(item) {
	if (item.episode)
		return { item, steps: item.episode.steps, end: item.episode.ns };
	const steps = typicalSteps(item), exits = d3.sum(steps, step => step.ns);
	const fault = item.run.fault_time_ns ? item.run.fault_time_ns.mean : 0;
	const gap = Math.max(fault - exits, 0) / Math.max(steps.length - 1, 1) || exits / 40;
	let time = 0;

	steps.forEach(step => {
		step.start = time;
		time += step.ns + gap;
	});
	return { item, steps, end: time - gap };
}

function drawEpisode(episode, end) {
	const box = page.append("div").attr("class", "episode");
	const item = episode.item, x = d3.scaleLinear().domain([0, end]).range([1, pageWidth() - 24]);

	box.append("h3").text(`${item.series}: ${episode.steps.length} exits` +
		(episode.end ? `, ${microseconds(episode.end)} \u00b5s` : "") + (item.episode ?
		`, like ${integer(item.episode.like)} of ${integer(item.episode.of)} that were recorded` : ""));
	const svg = picture(box, 46, `timeline of an episode under ${item.series}`);

	svg.append("line").attr("x1", x(0)).attr("x2", x(episode.end)).attr("y1", 28).attr("y2", 28)
		.attr("stroke", "var(--faint)").attr("stroke-width", 2);
	episode.steps.forEach((step, index) => {
		const left = x(step.start), right = x(step.start + step.ns);

		svg.append("rect").attr("x", left).attr("y", 14).attr("height", 28).attr("rx", 3)
			.attr("width", Math.max(right - left, 2)).attr("fill", color(step.name));
		svg.append("text").attr("x", (left + right) / 2).attr("y", 10).attr("text-anchor", "middle")
			.attr("font-weight", 600).text(index + 1);
	});
	svg.append("text").attr("x", x(episode.end) + 6).attr("y", 33).attr("font-size", 16).text("\u2713");
	tell(box, episode);
}

function tell(box, episode) {
	const list = box.append("ol"), last = episode.steps[episode.steps.length - 1];
	const { touches, writes } = actors(episode);

	episode.steps.forEach((step, index) => {
		const entry = list.append("li").style("border-color", color(step.name));

		entry.append("strong").text(`${index + 1} ${step.name} `);
		entry.append("i").text((step.ns ? `${microseconds(step.ns)} \u00b5s: ` : "") +
			story(step.name, episode));
		if (!index && !episode.steps.some(other => /^(pte-write|unsync)$/.test(other.name)))
			list.append("li").append("i").text(`${writes}, which KVM lets it do: no exit`);
	});
	list.append("li").append("i").text(last.name === "refault" ? "\u2713 the access succeeds" :
		`\u2713 ${touches} the page again, which succeeds: no refault`);
}

function episodes() {
	const laidOut = chosen.members.map(layOut), end = d3.max(laidOut, episode => episode.end);

	heading("Where the exits come from", (chosen.members.every(item => item.episode) ?
		"The most frequent sequence of exits of a guest fault, each as long as on average" :
		"A typical guest fault: its exits as often and as long as on average, in the order in which they come") +
		"; all to one scale of time. In between, on the line, the guest runs.");
	laidOut.forEach(episode => drawEpisode(episode, end || 1));
}

/* ---- The other charts ---- */

function classesChart() {
	heading("Exits per guest fault, by class", "Exits that belong to no guest fault are left out.");
	const parent = stackedBars("Exits per guest fault", groups.map(group => ({
		header: group.name,
		bars: group.members.map(item => ({
			label: item.series, parts: item.perFault, total: item.exits,
		})),
	})), exact, CLASSES);

	tableBehind(parent, "classes", labels.concat([
		{ name: "guest faults", of: item => integer(item.run.guest_faults) },
		{ name: "exits/fault", of: item => exact(item.exits) },
	], used(CLASSES, items.map(item => item.perFault)).map(name => ({
		name, of: item => exact(item.perFault[name]),
	})), [
		{ name: "exits in no episode", of: item => integer(item.run.exits_total - item.run.exits_in_episodes) },
	]), items);
}

/* The numbers of exits that a guest fault of any of @members took. */
function usedBuckets(members) {
	return unique([].concat(...members.map(item => Object.keys(item.run.histogram)
		.filter(bucket => item.run.histogram[bucket])))).sort((a, b) => parseInt(a) - parseInt(b));
}

function drawHistogram(parent, item, buckets) {
	const x = d3.scaleLinear().domain([0, 1]).range([left(buckets), pageWidth() - RIGHT]);
	const svg = picture(parent, HEADER + BAR * buckets.length + 4, item.series);

	svg.append("text").attr("x", 0).attr("y", 19).attr("font-weight", 600).text(item.series);
	buckets.forEach((bucket, index) => {
		const count = item.run.histogram[bucket] || 0, y = HEADER + BAR * index;
		const end = x(Math.min(count / item.run.guest_faults, 1));

		drawLabel(svg, `${bucket} ${bucket === "1" ? "exit" : "exits"}`, x(0), y);
		svg.append("rect").attr("x", x(0)).attr("y", y + 2).attr("height", 17)
			.attr("width", end - x(0)).attr("fill", "var(--faint)");
		svg.append("text").attr("x", end + 5).attr("y", y + 14).text(integer(count));
	});
}

function histogramChart() {
	const buckets = usedBuckets(chosen.members);

	heading("Guest faults by their number of exits");
	const parent = page.append("figure");

	chosen.members.forEach(item => drawHistogram(parent, item, buckets));
	caption(parent, "Guest faults that took so many exits; bars are shares of all");
	tableBehind(parent, "histogram", [labels[4]].concat(buckets.map(bucket => ({
		name: `${bucket} exits`, of: item => integer(item.run.histogram[bucket] || 0),
	}))), chosen.members);
}

/* Of rows { item, name, time: as in time_ns }. */
function timeColumns(what) {
	return [
		{ name: "run", word: true, of: row => row.item.series },
		{ name: what, word: true, of: row => row.name },
		{ name: "exits", of: row => integer(row.time.count) },
		{ name: "mean \u00b5s", of: row => microseconds(row.time.mean) },
		{ name: "p50", of: row => microseconds(row.time.p50) },
		{ name: "p99", of: row => microseconds(row.time.p99) },
		{ name: "max", of: row => microseconds(row.time.max) },
	];
}

function timeChart() {
	const bars = chosen.members.map(item => {
		const parts = {};

		CLASSES.forEach(name => { parts[name] = item.perFault[name] * item.mean(name) / 1000; });
		return { label: item.series, parts, total: d3.sum(CLASSES, name => parts[name]) };
	});
	const timed = [];

	if (!d3.max(bars, bar => bar.total))
		return;
	chosen.members.forEach(item => CLASSES.filter(name => item.run.time_ns[name]).forEach(name =>
		timed.push({ item, name, time: item.run.time_ns[name] })));
	heading("Time in exits per guest fault", chosen.members.some(item => item.run.clock === "virtual") ?
		"From exit to entry, by the emulated machine's clock, which counts instructions: it says " +
		"nothing about real hardware." : "From exit to entry.");
	const parent = stackedBars("Microseconds per guest fault", [{ bars }], d3.format(".2f"), CLASSES);

	tableBehind(parent, "time", timeColumns("class"), timed);
}

/* ---- The host's own page faults ---- */

function hostRows() {
	return [].concat(...hosts.map(item => Object.keys(item.run.host_faults.time_ns).map(name => ({
		item, name, time: item.run.host_faults.time_ns[name],
	}))));
}

function pageSizes() {
	const counts = hosts.map(item => item.run.host_faults.page_sizes);
	const sizes = used(unique([].concat(...counts.map(Object.keys))), counts);

	table(page, labels.concat([
		{ name: "host faults", of: item => integer(item.run.host_faults.total) },
		{ name: "first touches", of: item => integer(item.run.host_faults.first_touches) },
	], sizes.map(name => ({
		name: `${name} pages`, of: item => integer(item.run.host_faults.page_sizes[name] || 0),
	}))), hosts);
}

/* In whose memory most of the first touches were. */
function areas() {
	const MOST = 20;
	const rows = [].concat(...hosts.map(item => (item.run.touched_areas || []).slice(0, MOST)
		.map(area => ({ item, area }))));

	if (!rows.length)
		return;
	page.append("p").text("Where first touches were, in the VMM's memory:");
	table(page, [
		{ name: "run", word: true, of: row => row.item.series },
		{ name: "area", word: true, of: row => row.area.name },
		{ name: "pid", of: row => row.area.pid },
		{ name: "touches", of: row => integer(row.area.touches) },
		{ name: "minor", of: row => integer(row.area.minor) },
		{ name: "major", of: row => integer(row.area.major) },
		{ name: "in all, \u00b5s", of: row => microseconds(row.area.total_ns) },
	], rows);
}

function hostFaults() {
	const kinds = unique([].concat(...hosts.map(item => Object.keys(item.run.host_faults.kinds))));

	if (!hosts.length)
		return;
	heading("The host's own page faults",
		"With NPT or EPT, KVM sees no fault of the guest's, but has its own: memory that its second table doesn't map.");
	const parent = stackedBars("Host faults, by kind", groupRuns(hosts).map(group => ({
		header: group.name,
		bars: group.members.map(item => ({
			label: item.series, parts: item.run.host_faults.kinds, total: item.run.host_faults.total,
		})),
	})), integer, kinds);

	tableBehind(parent, "host", timeColumns("kind"), hostRows());
	pageSizes();
	areas();
}

/* ---- Where it comes from ---- */

function environment() {
	const same = (name, of) => ({ name, word: true, of: () => unique(all.map(of)).filter(word => word).join(", ") });
	const rows = [
		same("kernel", item => item.run.kernel), same("processor", item => item.run.cpu),
		same("vendor", item => item.run.vendor), same("page tables", item => item.run.mmu),
		same("clock", item => item.run.clock), same("virtual CPUs", item => String(item.run.vcpus)),
		same("files", item => item.source),
	].filter(row => row.of());

	heading("What it was measured on");
	table(page, [
		{ name: "", word: true, of: row => row.name }, { name: "", word: true, of: row => row.of() },
	], rows);
}

/* A list of words for make: the values of a label. */
function list(runs, key) {
	const words = unique(runs.map(item => item.run[key]).filter(word => word));

	return words.length > 1 ? `"${words.join(" ")}"` : words.join("");
}

/* How much a lab's runs had to do, by the variables of `make lab`. */
function amounts(runs) {
	const number = (item, option) => Number((RegExp(`--${option} (\\d+)`).exec(item.run.command) || [])[1]);
	const most = (name, option, some) => {
		const value = d3.max(some, item => number(item, option));

		return value ? ` ${name}=${value}` : "";
	};

	return most("FAULTS", "faults", runs.filter(item => item.run.workload !== "kbuild")) +
		most("OBJECTS", "faults", runs.filter(item => item.run.workload === "kbuild")) +
		most("VCPUS", "vcpus", runs);
}

function commands() {
	const inLab = all.filter(item => item.run.clock === "virtual");
	const lines = unique(all.filter(item => item.run.clock !== "virtual").map(item => item.run.command))
		.filter(line => line);

	if (inLab.length) {
		lines.push(`make lab LINE=${list(inLab, "line")} VENDOR=${list(inLab, "vendor")} ` +
			`POLICY=${list(inLab, "policy")} WORKLOAD=${list(inLab, "workload")} ` +
			`PAGING=${list(inLab, "paging")}${amounts(inLab)}`);
		lines.push("build/bin/faultline report build/lab/results.json --html report.html");
	}
	heading("How to do it again");
	page.append("pre").text(lines.join("\n") || "The runs don't tell.");
}

/* ---- The page ---- */

function choice() {
	if (groups.length < 2)
		return;
	const select = page.append("p").attr("class", "choice").append("label").text("Shown below: ").append("select")
		.on("change", function () {
			chosen = groups[this.selectedIndex];
			draw();
		});

	select.selectAll("option").data(groups).enter().append("option")
		.property("selected", group => group === chosen).text(group => group.name);
}

function draw() {
	const top = window.scrollY;

	page.html("");
	warnings();
	if (items.length) {
		headline();
		choice();
		episodes();
		histogramChart();
		timeChart();
		classesChart();
	}
	hostFaults();
	environment();
	commands();
	window.scrollTo(0, top);
}

let width = 0;

function drawIfResized() {
	if (page.node().clientWidth !== width)
		draw();
	width = page.node().clientWidth;
}

nameSeries();
if (items.length)
	chosen = mainGroup();
drawIfResized();
window.addEventListener("resize", drawIfResized);
/* On paper, tables are shown, and charts are as wide as it is. */
window.addEventListener("beforeprint", () => d3.selectAll("details").property("open", true));

}());
