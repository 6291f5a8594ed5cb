import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.rpc.Code;
import com.google.rpc.Status;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import io.temporal.api.common.v1.Link;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.common.v1.WorkflowType;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.enums.v1.HistoryEventFilterType;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.errordetails.v1.NotFoundFailure;
import io.temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure;
import io.temporal.api.history.v1.History;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.history.v1.WorkflowExecutionCompletedEventAttributes;
import io.temporal.api.history.v1.WorkflowExecutionStartedEventAttributes;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.ListSearchAttributesResponse;
import io.temporal.api.operatorservice.v1.OperatorServiceGrpc;
import io.temporal.api.workflow.v1.RequestIdInfo;
import io.temporal.api.workflow.v1.WorkflowExecutionExtendedInfo;
import io.temporal.api.workflow.v1.WorkflowExecutionInfo;
import io.temporal.api.workflowservice.v1.*;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Temporal frontend that answers at once, or after a fixed time, and counts what it was asked.
 *
 * <p>Started as {@code java Stub.java GRPC_PORT HTTP_PORT}. It dedupes starts and signals by request id, as the server
 * does, and keeps every effect in the order of its arrival: that is the ledger. Over HTTP the driver resets it ({@code
 * /reset?delay_ms=5&open=true&stuck=stuck-}), reads its counts ({@code /counts}) and its ledger ({@code /effects}, a
 * line for each workflow id: id, arrival of the first effect in us, request ids in order).
 *
 * <p>For the lifecycle feed it makes up runs like the one that was started last ({@code
 * /runs?prefix=a-&count=1000&closing_within_ms=1000}): open ones, or ones that close one after another within that time
 * from now on. It lists and counts those that closed within the bounds of a query, newest first and in pages, describes
 * them, and tells their first and their last event.
 */
public final class Stub {
  /** What a workflow id has been through. */
  private static final class Run {
    final String runId = UUID.randomUUID().toString();
    final long arrivedUs = nowUs();
    final Set<String> requestIds = new LinkedHashSet<>(2);
  }

  /** A run like another one, made up for the feed; it is open until `closedUs`, which may be for ever. */
  private record Made(StartWorkflowExecutionRequest like, String workflowId, String runId, long closedUs) {
    private static final long RAN_US = 60_000_000;

    WorkflowExecutionInfo info(long nowUs) {
      boolean isOpen = closedUs > nowUs;
      WorkflowExecutionInfo.Builder info = WorkflowExecutionInfo.newBuilder()
          .setExecution(WorkflowExecution.newBuilder().setWorkflowId(workflowId).setRunId(runId))
          .setFirstRunId(runId)
          .setType(like.getWorkflowType())
          .setTaskQueue(like.getTaskQueue().getName())
          .setStartTime(time((isOpen ? nowUs : closedUs) - RAN_US))
          .setMemo(like.getMemo())
          .setSearchAttributes(like.getSearchAttributes());
      return isOpen
          ? info.setStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING).build()
          : info.setStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED)
              .setCloseTime(time(closedUs)).build();
    }

    HistoryEvent firstEvent() {
      WorkflowExecutionStartedEventAttributes.Builder started = WorkflowExecutionStartedEventAttributes.newBuilder()
          .setWorkflowType(WorkflowType.newBuilder().setName(like.getWorkflowType().getName()))
          .setAttempt(1)
          .setFirstExecutionRunId(runId)
          .setMemo(like.getMemo())
          .setSearchAttributes(like.getSearchAttributes());
      return HistoryEvent.newBuilder().setEventId(1)
          .setEventType(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
          .setWorkflowExecutionStartedEventAttributes(started).build();
    }

    HistoryEvent lastEvent() {
      return HistoryEvent.newBuilder().setEventId(5).setEventTime(time(closedUs))
          .setEventType(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
          .setWorkflowExecutionCompletedEventAttributes(
              WorkflowExecutionCompletedEventAttributes.getDefaultInstance()).build();
    }
  }

  /** What holds until the next reset. `open`: every workflow id has an open run. `stuck`: ids that get no answer. */
  private static final class Round {
    final ConcurrentHashMap<String, Run> runs = new ConcurrentHashMap<>();
    final AtomicLong requests = new AtomicLong();
    final AtomicLong effects = new AtomicLong();
    final ConcurrentHashMap<String, Made> made = new ConcurrentHashMap<>();
    volatile List<Made> closed = List.of();
    volatile StartWorkflowExecutionRequest lastStart;
    volatile long lastUs;
    long delayMs;
    boolean open;
    String stuck = "";
  }

  private static final Pattern CLOSED_BETWEEN = Pattern.compile("CloseTime BETWEEN '([^']+)' AND '([^']+)'");

  private static volatile Round round = new Round();
  private static final ScheduledExecutorService later = Executors.newScheduledThreadPool(2);
  private static final Timestamp AN_HOUR_AGO =
      Timestamp.newBuilder().setSeconds(Instant.now().getEpochSecond() - 3600).build();

  private static long nowUs() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
  }

  private static Timestamp time(long us) {
    return Timestamp.newBuilder().setSeconds(us / 1_000_000).setNanos((int) (us % 1_000_000) * 1000).build();
  }

  private static long us(String rfc3339) {
    Instant instant = Instant.parse(rfc3339);
    return instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1000;
  }

  private static <T> void answer(StreamObserver<T> out, T response) {
    later(() -> {
      out.onNext(response);
      out.onCompleted();
    });
  }

  private static void refuse(StreamObserver<?> out, Code code, String text, Message detail) {
    Status status = Status.newBuilder().setCode(code.getNumber()).setMessage(text).addDetails(Any.pack(detail)).build();
    later(() -> out.onError(StatusProto.toStatusRuntimeException(status)));
  }

  private static void later(Runnable action) {
    if (round.delayMs == 0) {
      action.run();
    } else {
      later.schedule(action, round.delayMs, TimeUnit.MILLISECONDS);
    }
  }

  /** Note a request; returns whether its workflow id is one of those that get no answer. */
  private static boolean isStuck(Round now, String workflowId, StreamObserver<?> out) {
    if (!now.stuck.isEmpty() && workflowId.startsWith(now.stuck)) {
      refuse(out, Code.UNAVAILABLE, "stuck on purpose", NotFoundFailure.getDefaultInstance());
      return true;
    }
    now.requests.incrementAndGet();
    now.lastUs = nowUs();
    return false;
  }

  /** Let a request take effect on a run, once for each request id. */
  private static void take(Round now, Run run, String requestId) {
    synchronized (run) {
      if (run.requestIds.add(requestId)) {
        now.effects.incrementAndGet();
      }
    }
  }

  private static final class Workflows extends WorkflowServiceGrpc.WorkflowServiceImplBase {
    @Override
    public void getSystemInfo(GetSystemInfoRequest request, StreamObserver<GetSystemInfoResponse> out) {
      answer(out, GetSystemInfoResponse.newBuilder().setServerVersion("1.32.0").build());
    }

    @Override
    public void describeNamespace(DescribeNamespaceRequest request, StreamObserver<DescribeNamespaceResponse> out) {
      answer(out, DescribeNamespaceResponse.getDefaultInstance());
    }

    @Override
    public void startWorkflowExecution(
        StartWorkflowExecutionRequest request, StreamObserver<StartWorkflowExecutionResponse> out) {
      Round now = round;
      if (isStuck(now, request.getWorkflowId(), out)) {
        return;
      }
      Run run = now.runs.computeIfAbsent(request.getWorkflowId(), id -> new Run());
      String first;
      synchronized (run) {
        first = run.requestIds.isEmpty() ? request.getRequestId() : run.requestIds.iterator().next();
      }
      if (!first.equals(request.getRequestId())) {
        refuse(out, Code.ALREADY_EXISTS, "Workflow execution is already running.",
            WorkflowExecutionAlreadyStartedFailure.newBuilder().setRunId(run.runId).setStartRequestId(first).build());
        return;
      }
      take(now, run, request.getRequestId());
      now.lastStart = request;
      answer(out, StartWorkflowExecutionResponse.newBuilder().setRunId(run.runId).setStarted(true).build());
    }

    @Override
    public void signalWorkflowExecution(
        SignalWorkflowExecutionRequest request, StreamObserver<SignalWorkflowExecutionResponse> out) {
      Round now = round;
      String workflowId = request.getWorkflowExecution().getWorkflowId();
      if (isStuck(now, workflowId, out)) {
        return;
      }
      Run run = now.open ? now.runs.computeIfAbsent(workflowId, id -> new Run()) : now.runs.get(workflowId);
      if (run == null) {
        refuse(out, Code.NOT_FOUND, "workflow not found", NotFoundFailure.getDefaultInstance());
        return;
      }
      take(now, run, request.getRequestId());
      Link.WorkflowEvent reached = Link.WorkflowEvent.newBuilder().setRunId(run.runId).build();
      answer(out, SignalWorkflowExecutionResponse.newBuilder()
          .setLink(Link.newBuilder().setWorkflowEvent(reached)).build());
    }

    @Override
    public void signalWithStartWorkflowExecution(
        SignalWithStartWorkflowExecutionRequest request,
        StreamObserver<SignalWithStartWorkflowExecutionResponse> out) {
      Round now = round;
      if (isStuck(now, request.getWorkflowId(), out)) {
        return;
      }
      boolean started = !now.runs.containsKey(request.getWorkflowId());
      Run run = now.runs.computeIfAbsent(request.getWorkflowId(), id -> new Run());
      take(now, run, request.getRequestId());
      answer(out, SignalWithStartWorkflowExecutionResponse.newBuilder()
          .setRunId(run.runId).setStarted(started).build());
    }

    @Override
    public void requestCancelWorkflowExecution(
        RequestCancelWorkflowExecutionRequest request,
        StreamObserver<RequestCancelWorkflowExecutionResponse> out) {
      Round now = round;
      String workflowId = request.getWorkflowExecution().getWorkflowId();
      if (!isStuck(now, workflowId, out)) {
        take(now, now.runs.computeIfAbsent(workflowId, id -> new Run()), request.getRequestId());
        answer(out, RequestCancelWorkflowExecutionResponse.getDefaultInstance());
      }
    }

    @Override
    public void describeWorkflowExecution(
        DescribeWorkflowExecutionRequest request, StreamObserver<DescribeWorkflowExecutionResponse> out) {
      Round now = round;
      String workflowId = request.getExecution().getWorkflowId();
      Made made = now.made.get(workflowId);
      if (made != null) {
        answer(out, DescribeWorkflowExecutionResponse.newBuilder().setWorkflowExecutionInfo(made.info(nowUs()))
            .setWorkflowExtendedInfo(WorkflowExecutionExtendedInfo.newBuilder()
                .putRequestIdInfos(made.like().getRequestId(), RequestIdInfo.getDefaultInstance())).build());
        return;
      }
      Run run = now.open ? now.runs.computeIfAbsent(workflowId, id -> new Run()) : now.runs.get(workflowId);
      if (run == null) {
        refuse(out, Code.NOT_FOUND, "workflow not found", NotFoundFailure.getDefaultInstance());
        return;
      }
      answer(out, DescribeWorkflowExecutionResponse.newBuilder().setWorkflowExecutionInfo(
          WorkflowExecutionInfo.newBuilder()
              .setExecution(WorkflowExecution.newBuilder().setWorkflowId(workflowId).setRunId(run.runId))
              .setFirstRunId(run.runId)
              .setStartTime(AN_HOUR_AGO)
              .setStatus(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING)).build());
    }

    @Override
    public void listWorkflowExecutions(
        ListWorkflowExecutionsRequest request, StreamObserver<ListWorkflowExecutionsResponse> out) {
      List<Made> closed = round.closed;  // by the time of the close, oldest first
      Matcher bounds = CLOSED_BETWEEN.matcher(request.getQuery());
      if (!bounds.find() || closed.isEmpty()) {
        answer(out, ListWorkflowExecutionsResponse.getDefaultInstance());
        return;
      }
      long now = nowUs();
      int begin = firstFrom(closed, us(bounds.group(1)));
      int end = request.getNextPageToken().isEmpty()
          ? Math.max(begin, firstFrom(closed, Math.min(us(bounds.group(2)), now) + 1))
          : Integer.parseInt(request.getNextPageToken().toStringUtf8());
      int left = Math.max(begin, end - request.getPageSize());
      ListWorkflowExecutionsResponse.Builder page = ListWorkflowExecutionsResponse.newBuilder();
      for (int place = end - 1; place >= left; place--) {
        page.addExecutions(closed.get(place).info(now));
      }
      if (left > begin) {
        page.setNextPageToken(ByteString.copyFromUtf8(Integer.toString(left)));
      }
      answer(out, page.build());
    }

    @Override
    public void countWorkflowExecutions(
        CountWorkflowExecutionsRequest request, StreamObserver<CountWorkflowExecutionsResponse> out) {
      List<Made> closed = round.closed;
      Matcher bounds = CLOSED_BETWEEN.matcher(request.getQuery());
      int count = bounds.find()
          ? firstFrom(closed, Math.min(us(bounds.group(2)), nowUs()) + 1) - firstFrom(closed, us(bounds.group(1)))
          : 0;
      answer(out, CountWorkflowExecutionsResponse.newBuilder().setCount(Math.max(0, count)).build());
    }

    /** Return the place of the first that closed then or later. */
    private static int firstFrom(List<Made> closed, long us) {
      int low = 0;
      int high = closed.size();
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (closed.get(middle).closedUs() < us) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    }

    @Override
    public void getWorkflowExecutionHistory(
        GetWorkflowExecutionHistoryRequest request, StreamObserver<GetWorkflowExecutionHistoryResponse> out) {
      Made made = round.made.get(request.getExecution().getWorkflowId());
      if (made == null) {
        refuse(out, Code.NOT_FOUND, "workflow not found", NotFoundFailure.getDefaultInstance());
        return;
      }
      boolean last = request.getHistoryEventFilterType()
          == HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
      answer(out, GetWorkflowExecutionHistoryResponse.newBuilder()
          .setHistory(History.newBuilder().addEvents(last ? made.lastEvent() : made.firstEvent())).build());
    }
  }

  private static final class Operator extends OperatorServiceGrpc.OperatorServiceImplBase {
    @Override
    public void listSearchAttributes(
        ListSearchAttributesRequest request, StreamObserver<ListSearchAttributesResponse> out) {
      answer(out, ListSearchAttributesResponse.newBuilder()
          .putCustomAttributes("BridgeGroup", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
          .putCustomAttributes("BridgeIds", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST).build());
    }
  }

  private static Map<String, String> wanted(HttpExchange exchange) {
    Map<String, String> wanted = new HashMap<>();
    String query = exchange.getRequestURI().getQuery();
    for (String pair : query == null ? new String[0] : query.split("&")) {
      wanted.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
    }
    return wanted;
  }

  private static void reset(HttpExchange exchange) throws IOException {
    Map<String, String> wanted = wanted(exchange);
    Round next = new Round();
    next.delayMs = Long.parseLong(wanted.getOrDefault("delay_ms", "0"));
    next.open = Boolean.parseBoolean(wanted.getOrDefault("open", "false"));
    next.stuck = wanted.getOrDefault("stuck", "");
    round = next;
    say(exchange, "");
  }

  private static void runs(HttpExchange exchange) throws IOException {
    Map<String, String> wanted = wanted(exchange);
    Round now = round;
    int count = Integer.parseInt(wanted.get("count"));
    long spanUs = Long.parseLong(wanted.getOrDefault("closing_within_ms", "0")) * 1000;
    long beginUs = nowUs();
    List<Made> found = new ArrayList<>(now.closed);
    for (int number = 0; number < count; number++) {
      long closedUs = spanUs == 0 ? Long.MAX_VALUE : beginUs + spanUs * (number + 1) / count;
      String workflowId = wanted.get("prefix") + number;
      Made made = new Made(now.lastStart, workflowId, UUID.randomUUID().toString(), closedUs);
      now.made.put(workflowId, made);
      if (spanUs > 0) {
        found.add(made);
      }
    }
    found.sort((one, other) -> Long.compare(one.closedUs(), other.closedUs()));
    now.closed = List.copyOf(found);
    say(exchange, "");
  }

  private static void counts(HttpExchange exchange) throws IOException {
    Round now = round;
    say(exchange, String.format("{\"requests\": %d, \"effects\": %d, \"last_us\": %d}",
        now.requests.get(), now.effects.get(), now.lastUs));
  }

  private static void effects(HttpExchange exchange) throws IOException {
    StringBuilder text = new StringBuilder();
    round.runs.forEach((id, run) -> {
      synchronized (run) {
        text.append(id).append('\t').append(run.arrivedUs).append('\t')
            .append(String.join(",", run.requestIds)).append('\n');
      }
    });
    say(exchange, text.toString());
  }

  private static void say(HttpExchange exchange, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(bytes);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Server server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])))
        .directExecutor().addService(new Workflows()).addService(new Operator()).build().start();
    HttpServer http = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])), 0);
    http.createContext("/reset", Stub::reset);
    http.createContext("/counts", Stub::counts);
    http.createContext("/runs", Stub::runs);
    http.createContext("/effects", Stub::effects);
    http.start();
    System.out.println("stub frontend started");
    server.awaitTermination();
  }
}
