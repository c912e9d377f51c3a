-- build.lua: the site: guide, documents and references as plain pages, which
-- need no server and no JavaScript.
local api = require "docs.site.api"
local c_reference = require "docs.site.c_reference"
local code = require "docs.site.code"
local disk = require "docs.site.disk"
local layout = require "docs.site.layout"
local lua_reference = require "docs.site.lua_reference"
local markdown = require "docs.site.markdown"
local search = require "docs.site.search"

local build = {}

local manuals = { "docs/API.md", "docs/http.md", "docs/files.md",
    "docs/EXTENDING.md", "docs/EMBEDDING.md" }
local rest = { "docs/DESIGN.md", "docs/VOCABULARY.md", "bench/README.md",
    "CHANGELOG.md" }

local Site = {}
Site.__index = Site

-- "docs/guide/02-tasks.md" -> "guide/tasks.html"
local function out_of(source)
    if source == "README.md" then
        return "index.html"
    end
    return (source:gsub("^docs/", ""):gsub("%.md$", ".html")
        :gsub("([^/]+)$", function(name)
            return name:gsub("^%d+%-", ""):lower()
        end))
end

function Site:document(source, title)
    local page = { source = source, out = out_of(source),
        text = disk.read(self.root .. "/" .. source) }
    page.title = title or page.text:match "^#+ ([^\n]+)"
        or page.text:match "\n# ([^\n]+)" or source
    page.title = page.title:gsub("`", "")
    return page
end

function Site:group(name, pages, folded)
    if not pages[1] then
        return
    end
    local group = { name = name, folded = folded }
    for _, page in ipairs(pages) do
        group[#group + 1] = page
        self.pages[#self.pages + 1] = page
        self.by_source[page.source] = page
    end
    self.groups[#self.groups + 1] = group
    return group
end

function Site:documents(sources)
    local pages, seen = {}, {}
    for _, source in ipairs(sources) do
        if disk.exists(self.root .. "/" .. source)
            and not self.by_source[source] and not seen[source]
        then
            seen[source] = true
            pages[#pages + 1] = self:document(source)
        end
    end
    return pages
end

-- In docs/, and named nowhere above: nothing is left out.
function Site:others()
    return disk.lines("cd " .. self.root .. " && ls docs/*.md docs/*/*.md")
end

-- The guide's pages, in the order of its index.
function Site:guide()
    local sources = { "docs/GUIDE.md" }
    for link in disk.read(self.root .. "/docs/GUIDE.md"):gmatch
        "%((guide/[^)#]+%.md)" do
        sources[#sources + 1] = "docs/" .. link
    end
    local group = self:group("Guide", self:documents(sources))
    for i, page in ipairs(group or {}) do
        page.before, page.behind = group[i - 1], group[i + 1]
    end
end

function Site:collect()
    self:group("Start", { self:document("README.md", "quoll") })
    self:guide()
    self:group("Manual", self:documents(manuals))
    local found = self.api
    local modules, classes = {}, {}
    for _, page in ipairs(lua_reference.pages(found)) do
        table.insert(page.class and classes or modules, page)
    end
    for _, entry in ipairs(found.entries) do
        local out, word = lua_reference.place(entry.name)
        self.names[entry.name] = out .. "#" .. word
    end
    self:group("Lua: modules", modules, true)
    self:group("Lua: classes", classes, true)
    local headers, c_names = c_reference.pages(self.root)
    self:group("C", headers, true)
    for name, url in pairs(c_names) do
        self.names[name] = url
    end
    local last = self:documents(rest)
    for _, page in ipairs(self:documents(self:others())) do
        local listed = false
        for _, other in ipairs(last) do
            listed = listed or other.source == page.source
        end
        if not listed then
            last[#last + 1] = page
        end
    end
    self:group("About", last)
end

-- A file of the tree that a page links to gets a page of its own.
function Site:source_page(path)
    if self.by_source[path] == nil and disk.exists(self.root .. "/" .. path)
        and path:find "%." and not path:find "%.html$"
    then
        local page = { source = path, out = "source/" .. path .. ".html",
            title = path, headings = {}, blocks = {
                { language = path:match "%.(%w+)$",
                    text = disk.read(self.root .. "/" .. path), lines = true },
            } }
        page.html = ('<h1>%s</h1>\n<pre tabindex="0" class="source">\1%d\1'
            .. "</pre>"):format(code.escape(path), 1)
        self.by_source[path] = page
        self.sources[#self.sources + 1] = page
    end
    return self.by_source[path]
end

local plain = { LICENSE = true }

-- Where a link of a page leads in the site; a document's title.
function Site:link(page, target)
    if target:find "^%a+:" or target:find "^#" then
        return target
    end
    local path, anchor = disk.resolve(page.source, target)
    anchor = anchor ~= "" and "#" .. anchor or ""
    if path:find "%.svg$" or path:find "%.png$" or plain[path] then
        local out = path:gsub("^docs/", "")
        self.assets[path] = out
        return disk.relative(page.out, out)
    end
    local to = self:source_page(path)
    if not to then
        self.broken[#self.broken + 1] = page.source .. ": " .. target
        return target
    end
    return disk.relative(page.out, to.out) .. anchor,
        path:find "%.md$" and to.title
end

function Site:named(page, name, whole)
    local url = self.names[name]
    if not url or name == page.about or #whole > #name
        and not whole:sub(#name + 1):find "^[%s({\"'|]"
    then
        return nil
    end
    return disk.relative(page.out, url)
end

function Site:render()
    for _, page in ipairs(self.pages) do
        markdown.render(page, function(target)
            return self:link(page, target)
        end, function(name, whole)
            return self:named(page, name, whole)
        end)
    end
    local blocks = {}
    for _, list in ipairs { self.pages, self.sources } do
        for _, page in ipairs(list) do
            for _, block in ipairs(page.blocks) do
                blocks[#blocks + 1] = block
            end
        end
    end
    code.highlight(blocks, self.out .. "/.work")
    disk.run("rm -rf " .. self.out .. "/.work")
end

-- Each line of a source can be linked to, and the one behind the last, where
-- LDoc finds what the last comment is about.
local function numbered(block)
    local n = 0
    block.html = (block.html:gsub("%s+$", "") .. "\n"):gsub("([^\n]*)\n",
        function(line)
            n = n + 1
            return ('<span id="L%d">%s</span>\n'):format(n, line)
        end) .. ('<a id="L%d"></a>'):format(n + 1)
end

function Site:write()
    for _, list in ipairs { self.pages, self.sources } do
        for _, page in ipairs(list) do
            if page.blocks[1] and page.blocks[1].lines then
                numbered(page.blocks[1])
            end
            markdown.finish(page)
            disk.write(self.out .. "/" .. page.out,
                layout.page(page, self.groups, self.version))
        end
    end
    disk.write(self.out .. "/search-index.js", search.index(self.pages))
    for path, out in pairs(self.assets) do
        disk.write(self.out .. "/" .. out, disk.read(self.root .. "/" .. path))
    end
    for _, name in ipairs { "style.css", "search.js" } do
        disk.write(self.out .. "/" .. name,
            disk.read(self.root .. "/docs/site/" .. name))
    end
end

-- Makes the site of the tree at root, whose API is what api.read() has found;
-- gives the links that lead nowhere.
function build.site(root, out, found)
    local site = setmetatable({ root = root, out = out,
        api = found or api.read(root), pages = {},
        groups = {}, by_source = {}, names = {}, sources = {}, assets = {},
        broken = {}, version = require("quoll")._VERSION }, Site)
    disk.run("rm -rf " .. out .. " && mkdir -p " .. out)
    site:collect()
    site:render()
    site:write()
    return site.broken
end

return build
