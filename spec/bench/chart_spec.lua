-- The page that bench/run makes of its results.
local browser = require "spec.support.browser"
local chart = require "bench.lib.chart"
local helper = require "spec.helper"
local made_up = require "spec.bench.made_up"
local tasks = require "spec.support.tasks"

local ORDER = { "stall", "echo", "timers", "idle" }
local MACHINE = "2 cores of X, Linux 1"

-- The text between the tags, as a reader has it.
local function words(html)
    return (html:gsub("<[^>]*>", " "):gsub("&lt;", "<"):gsub("&gt;", ">")
        :gsub("&quot;", '"'):gsub("&amp;", "&"):gsub("%s+", " "))
end

local function section(page, name)
    return assert(page:match('<section id="' .. name .. '">.-</section>'))
end

-- The rows of a section; how what was asked about stands in one.
local function rows(html)
    local list = {}
    for row in html:gmatch '<li><span class="what">.-</li>' do
        list[#list + 1] = row
    end
    return list
end

local function bar(row)
    local class, x, width = row:match('<rect class="bar (%l+)" x="([%d.]+)%%"'
        .. ' y="13" width="([%d.]+)%%"')
    return class, tonumber(x), tonumber(width)
end

describe("the page of the benchmarks", function()
    local page = chart.page(made_up, ORDER, MACHINE)

    it("has the suites in their order, those there are", function()
        local names = {}
        for name in page:gmatch '<section id="(%w+)">' do
            names[#names + 1] = name
        end
        assert.same({ "stall", "echo", "idle" }, names)
    end)

    it("has a bar for every ratio, from 1.0 to it", function()
        local found = rows(section(page, "echo"))
        assert.equal(#made_up.echo.figures, #found)
        for i, figure in ipairs(made_up.echo.figures) do
            local _, x, width = bar(found[i])
            -- 13.25 is the farthest: the scale reaches 16
            local length = 46 * math.abs(math.log(figure.ratio) / math.log(16))
            assert.near(length, width, 0.01)
            assert.near(figure.ratio > 1 and 50 or 50 - length, x, 0.01)
            assert.truthy(words(found[i]):find(("%.2f"):format(figure.ratio),
                1, true))
        end
    end)

    it("draws a smaller one to the left", function()
        local _, x, width = bar(chart.page({ a = { name = "a", what = "",
            peers = {}, missing = {}, rounds = 2, machine = "",
            figures = { { what = "", ratio = 0.5 } } } }, { "a" }, ""))
        assert.same({ 4, 46 }, { x, width })
    end)

    it("spans the rounds and marks the target", function()
        local row = rows(section(page, "echo"))[1]
        local from, to = row:match('<line class="whisker" x1="([%d.]+)%%"'
            .. ' y1="20" x2="([%d.]+)%%"')
        assert.near(50 + 46 * math.log(1.02) / math.log(16), tonumber(from),
            0.01)
        assert.near(50 + 46 * math.log(1.31) / math.log(16), tonumber(to),
            0.01)
        assert.near(50 + 46 * math.log(1.08) / math.log(16),
            tonumber(row:match '<svg class="target" x="([%d.]+)%%">'), 0.01)
    end)

    it("tells reached and missed by form and word", function()
        local found = rows(section(page, "echo"))
        for i, verdict in ipairs { "missed", "reached", "plain", "reached" } do
            assert.equal(verdict, (bar(found[i])))
        end
        for i, text in ipairs {
            "1.09 (1.02 to 1.31) 5.90 against 5.40"
                .. " ✗ target: at most 1.08, missed",
            "1,360,000 against 102,641 ✓ target: at least 10, reached",
            "5.50 against 5.40 no target",
            "✓ target: at most 120 measured, reached",
        } do
            assert.truthy(words(found[i]):find(text, 1, true), text)
        end
        -- a target of what was measured has no place among the ratios
        assert.is_nil(found[4]:find('class="target"', 1, true))
        assert.matches("2 of 5 targets reached", words(page))
    end)

    it("draws a figure without a ratio as a part of its limit", function()
        local found = rows(section(page, "idle"))
        assert.matches("1%.15 of the limit 1,732", words(found[1]))
        local _, _, width = bar(found[1])
        assert.near(46 * math.log(1732 / 1500) / math.log(2), width, 0.01)
        assert.matches("no ratio 3%.25 no target", words(found[2]))
        assert.is_nil(bar(found[2]))
        assert.matches("not a number 1%.00 against 0", words(found[3]))
        assert.is_nil(bar(found[3]))
    end)

    it("tells what failed, what is missing, what was measured", function()
        assert.matches("This run failed: bench/stall.lua: <stdin>:",
            words(section(page, "stall")))
        assert.matches("at an unknown commit, 3 rounds",
            words(section(page, "stall")))
        local idle = words(section(page, "idle"))
        assert.matches("Missing: nginx <Lua>: no such file & folder", idle)
        assert.matches("Measured at 4d5e6f7, one short round: it proves "
            .. "nothing. On 4 cores of Y, Linux 2.", idle)
        assert.matches("Peers: bare C, a <peer> & its \"name\".",
            words(section(page, "echo")))
        assert.is_nil(words(section(page, "echo")):find " On ")
    end)

    it("leaves a suite's name out of its figures", function()
        assert.truthy(page:find('<span class="what">CPU us &lt;each', 1, true))
    end)

    it("escapes names, has no script and no other file", function()
        for _, name in ipairs { "<64", "<peer", "<each", "<Lua", "<stdin",
            "& all", "& folder", "<script", "src=", "http" } do
            assert.is_nil(page:find(name, 1, true), name)
        end
    end)
end)

-- No C of quoll's is at work here.
if helper.sanitized or helper.collecting then
    return
end

describe("the page of the benchmarks, in a browser", function()
    local path

    setup(function()
        path = os.tmpname()
        os.remove(path)
        path = path .. ".html"
        local file = assert(io.open(path, "w"))
        assert(file:write(chart.page(made_up, ORDER, MACHINE)))
        file:close()
    end)

    teardown(function()
        os.remove(path)
    end)

    -- What reaches beyond the edge; parts of pictures too.
    local BEYOND = [[[...document.querySelectorAll("body *")].filter(e => {
        const box = e.getBoundingClientRect()
        return box.right > innerWidth + .5 || box.left < -.5
    }).map(e => e.tagName + " " + e.textContent)]]
    local SMALLEST = [[Math.min(...[...document.querySelectorAll(
        ".axis text, .what, .numbers span")].map(e =>
            parseFloat(getComputedStyle(e).fontSize)))]]

    it("fits, light and dark", function()
        if not browser.program() then
            return pending "no Chromium"
        end
        tasks.run(function()
            browser.with(function(page)
                local papers = {}
                for i, view in ipairs { { 390, "light" }, { 1280, "dark" } } do
                    page:view(view[1], 844, view[2])
                    page:open("file://" .. path)
                    assert.truthy(page:eval
                        "document.documentElement.scrollWidth" <= view[1])
                    assert.same({}, page:eval(BEYOND))
                    assert.truthy(page:eval(SMALLEST) >= 11)
                    papers[i] = page:eval
                        "getComputedStyle(document.body).backgroundColor"
                end
                assert.not_equal(papers[1], papers[2])
            end)
        end, helper.seconds(60))
    end)
end)
