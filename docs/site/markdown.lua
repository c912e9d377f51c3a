-- markdown.lua: a document's Markdown as the inside of a page: headings with
-- anchors, links that lead somewhere, code to be coloured. cmark-gfm parses it.
local code = require "docs.site.code"
local disk = require "docs.site.disk"

local markdown = {}

local function parsed(text)
    local path = os.tmpname()
    disk.write(path, text)
    local html = disk.run("cmark-gfm --unsafe -e table -e autolink " .. path)
    os.remove(path)
    return html
end

function markdown.plain(html)
    return code.unescape((html:gsub("<[^>]*>", "")))
end

-- The anchor that GitHub gives a heading, so that links work there and here.
local function slug(text, taken)
    local name = text:lower():gsub("[^%w%s_\128-\255-]", ""):gsub("%s", "-")
    local n = taken[name]
    taken[name] = (n or 0) + 1
    return n and name .. "-" .. n or name
end

-- "Title {#name}" asks for an anchor of its own.
local function anchor(inner, taken)
    local text, own = inner:match "^(.-)%s*{#([^}]+)}$"
    if own then
        return text, own
    end
    return inner, slug(markdown.plain(inner), taken)
end

-- The name that a heading of the manual is about: "quoll.run".
local function about(inner)
    return inner:match "^<code>([%w_]+[.:][%w_.:]+)"
end

local function alias(name)
    return name and ('<a class="alias" id="%s"></a>'):format(name) or ""
end

local function headings(page, html)
    local taken = {}
    page.headings = {}
    return (html:gsub("<h([1-6])>(.-)</h%1>", function(level, inner)
        local text, id = anchor(inner, taken)
        local name = level ~= "1" and about(text)
        local aliased = not page.words and alias(name) or ""
        page.headings[#page.headings + 1] = { level = tonumber(level),
            id = id, html = name and ("<code>%s</code>"):format(page.words
                and id or name) or text, text = markdown.plain(text) }
        if level == "1" then
            page.title = page.title or markdown.plain(text)
        end
        return ('%s<h%s id="%s">%s <a class="self" href="#%s" '
            .. 'aria-label="link to this section">#</a></h%s>'):format(aliased,
            level, id, text, id, level)
    end))
end

-- Tables are wider than a phone: they scroll in a box of their own.
local function tables(html)
    return (html:gsub("<table>", '<div class="table"><table>')
        :gsub("</table>", "</table></div>"))
end

local function blocks(page, html)
    page.blocks = {}
    local function keep(language, inner)
        local list = page.blocks
        list[#list + 1] = { language = language,
            text = code.unescape(inner) }
        return ("<pre tabindex=\"0\">\1%d\1</pre>"):format(#list)
    end
    html = html:gsub('<pre><code class="language%-([%w_.-]+)[^"]*">(.-)'
        .. "</code></pre>", keep)
    return (html:gsub("<pre><code>(.-)</code></pre>", function(inner)
        return keep("text", inner)
    end))
end

-- Calls fn for what stands outside links, headings and blocks.
local function outside(html, fn)
    local out, at = {}, 1
    while true do
        local first, last = #html + 1, #html
        for _, tag in ipairs { "a", "h1", "h2", "h3", "pre" } do
            local i = html:find("<" .. tag .. "[%s>]", at)
            if i and i < first then
                first = i
                last = select(2, html:find("</" .. tag .. ">", i, true))
                    or #html
            end
        end
        out[#out + 1] = fn(html:sub(at, first - 1))
        if first > #html then
            return table.concat(out)
        end
        out[#out + 1] = html:sub(first, last)
        at = last + 1
    end
end

-- `conn:send` and `quoll.run(main)` in a text lead to the reference.
local function names(html, named)
    return outside(html, function(part)
        return (part:gsub("<code>([^<]+)</code>", function(inner)
            local url = named(code.unescape(inner):match "^[%w_.:]+" or "",
                code.unescape(inner))
            return url and ('<a class="name" href="%s"><code>%s</code></a>')
                :format(url, inner)
        end))
    end)
end

-- Links of a clone become those of the site; one that says no more than the
-- name of a document's file says the document's title.
local function links(html, link)
    local titles = {}
    html = html:gsub('<a href="([^"]*)"', function(target)
        local url, title = link(code.unescape(target))
        url = code.escape(url)
        titles[url] = title
        return ('<a href="%s"'):format(url)
    end)
    return (html:gsub('(<a href="([^"]*)">)[%w_./-]+%.md</a>', function(a, url)
        return titles[url] and a .. code.escape(titles[url]) .. "</a>"
    end))
end

-- page: { text =, words = (headings are known by one word) } gets its html,
-- title, headings and blocks. link(target) gives the address that a relative
-- link becomes, and the title of the document there; named(name, whole code)
-- the address of a function, or nil.
function markdown.render(page, link, named)
    local html = links(headings(page, blocks(page, parsed(page.text))), link)
    html = html:gsub('<img src="([^"]*)"', function(target)
        return ('<img loading="lazy" src="%s"'):format(link(target))
    end)
    page.html = tables(names(html, named))
end

-- Puts the coloured blocks in.
function markdown.finish(page)
    page.html = page.html:gsub("\1(%d+)\1", function(i)
        return (page.blocks[tonumber(i)].html:gsub("%s+$", ""))
    end)
end

return markdown
