"""WeCom (企业微信): the self-built app, WeChat customer service, and the AI bot."""
