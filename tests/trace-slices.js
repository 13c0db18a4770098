// SPDX-License-Identifier: GPL-2.0
/*
 * Opens TRACE, which the test puts in front, as the Performance panel of
 * Chromium's developer tools does, and tells what it made of it: for each thread,
 * the names, how deep slices nest, and each outermost slice with those in it.
 */
(async () => {
	const {TraceModel} = await import("devtools://devtools/bundled/models/trace/trace.js");
	const model = TraceModel.Model.createWithAllHandlers();
	await model.parse(TRACE.traceEvents, {});
	const {Meta, Renderer} = model.parsedTrace(0).data;
	const threads = [];
	for (const [pid, process] of Renderer.processes) {
		for (const thread of process.threads.values()) {
			threads.push({
				process: Meta.processNames.get(pid).args.name,
				pid,
				thread: thread.name,
				depth: thread.tree.maxDepth,
				slices: [...thread.tree.roots].map(root =>
					[root, ...root.children].map(node => node.entry.name).join(" ")),
			});
		}
	}
	return threads;
})()
