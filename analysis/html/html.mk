# SPDX-License-Identifier: GPL-2.0
# The report's page: what comes before the runs in it, and what comes after. Included
# by analysis.mk.

# D3's modules as Debian packs them, each after those that it needs.
D3_DIR		:= /usr/share/nodejs
D3_MODULES	:= array collection color format interpolate time time-format scale axis selection
D3_FILES	:= $(foreach module,$(D3_MODULES),$(D3_DIR)/d3-$(module)/dist/d3-$(module).min.js)

$(BUILD)/html/start.html: $(addprefix analysis/html/,start.html style.css middle.html)
	@mkdir -p $(@D)
	cat $^ >$@

# A script may not have "</script" in it; none of these has.
$(BUILD)/html/end.html: $(addprefix analysis/html/,d3-licence.txt report.js end.html html.mk)
	@mkdir -p $(@D)
	(set -e; echo '</script>'; echo '<script>'; echo '/*'; cat analysis/html/d3-licence.txt; echo '*/'; \
	 cat $(D3_FILES); echo '</script>'; echo '<script>'; cat analysis/html/report.js; \
	 echo '</script>'; cat analysis/html/end.html) >$@.new
	mv $@.new $@

$(BUILD)/analysis/html-page.o: analysis/html/page.S $(BUILD)/html/start.html $(BUILD)/html/end.html
	@mkdir -p $(@D)
	$(CC) -Wa,-I$(BUILD)/html -c $< -o $@
